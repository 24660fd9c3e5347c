//! A JPEG encoder for small pictures: baseline, all colours at full size, the tables of the
//! standard (ITU-T T.81, annex K).

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use super::scale::Pixels;

const EDGE: usize = 8;
type Block = [[f32; EDGE]; EDGE];

/// In which order the numbers of a block are written.
const ZIGZAG: [usize; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7,
    14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39,
    46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// How coarse brightness becomes, line by line.
const BRIGHTNESS: [u8; 64] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17,
    22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78,
    87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];

/// How coarse colour becomes, line by line.
const COLOUR: [u8; 64] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/// How many codes of each length there are, and their meanings: of the means of blocks. One pair of
/// tables serves brightness and colour.
const MEANS: ([u8; 16], &[u8]) =
    ([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);

/// The same of all other numbers: how many zeros stand before it, and how many bits it has.
const OTHERS: ([u8; 16], &[u8]) = (
    [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7d],
    &[
        0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22,
        0x71, 0x14, 0x32, 0x81, 0x91, 0xa1, 0x08, 0x23, 0x42, 0xb1, 0xc1, 0x15, 0x52, 0xd1, 0xf0, 0x24, 0x33,
        0x62, 0x72, 0x82, 0x09, 0x0a, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x34,
        0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x53, 0x54, 0x55,
        0x56, 0x57, 0x58, 0x59, 0x5a, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x73, 0x74, 0x75, 0x76,
        0x77, 0x78, 0x79, 0x7a, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x92, 0x93, 0x94, 0x95, 0x96,
        0x97, 0x98, 0x99, 0x9a, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xb2, 0xb3, 0xb4, 0xb5,
        0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xd2, 0xd3, 0xd4,
        0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xf1,
        0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa,
    ],
);

/// Codes by meaning, with their lengths.
struct Codes(Vec<(u16, u8)>);

impl Codes {
    fn new((lengths, meanings): ([u8; 16], &[u8])) -> Self {
        let mut codes = vec![(0, 0); 256];
        let mut meanings = meanings.iter();
        let mut code = 0_u16;
        for (length, count) in (1_u8..).zip(lengths) {
            for meaning in meanings.by_ref().take(count.into()) {
                if let Some(entry) = codes.get_mut(usize::from(*meaning)) {
                    *entry = (code, length);
                }
                code = code.wrapping_add(1);
            }
            code = code.wrapping_shl(1);
        }
        Self(codes)
    }

    fn of(&self, meaning: u8) -> (u16, u8) {
        self.0.get(usize::from(meaning)).copied().unwrap_or_default()
    }
}

/// Writes bits, with a zero behind every octet that would look like a marker.
struct Bits {
    out: Vec<u8>,
    waiting: u32,
    count: u8,
}

impl Bits {
    fn put(&mut self, bits: u16, length: u8) {
        self.waiting = self.waiting << length | u32::from(bits);
        self.count = self.count.saturating_add(length);
        while self.count >= 8 {
            self.count = self.count.saturating_sub(8);
            let [.., octet] = (self.waiting >> self.count).to_be_bytes();
            self.out.push(octet);
            if octet == 0xff {
                self.out.push(0);
            }
        }
    }

    fn number(&mut self, codes: &Codes, zeros: u8, number: i16) {
        let size = 16_u8.saturating_sub(u8::try_from(number.unsigned_abs().leading_zeros()).unwrap_or(0));
        let (code, length) = codes.of(zeros << 4 | size);
        self.put(code, length);
        // Negative numbers are written one less, without their sign.
        let bits = if number < 0 { number.wrapping_sub(1) } else { number }.cast_unsigned();
        self.put(bits & 1_u16.checked_shl(size.into()).unwrap_or(0).wrapping_sub(1), size);
    }
}

/// Encodes a picture whose width and height are these.
pub(super) fn jpeg(pixels: &Pixels, width: u16, height: u16, quality: u8) -> Vec<u8> {
    let tables = [BRIGHTNESS, COLOUR].map(|table| scaled(&table, quality));
    let mut out = head(width, height, &tables);
    let (means, others) = (Codes::new(MEANS), Codes::new(OTHERS));
    let cosines = cosines();
    let mut bits = Bits { out: Vec::new(), waiting: 0, count: 0 };
    let mut before = [0_i16; 3];
    let [brightness, colour] = tables;
    for top in (0..pixels.height).step_by(EDGE) {
        for left in (0..pixels.width).step_by(EDGE) {
            let blocks = blocks(pixels, left, top);
            for ((block, table), before) in
                blocks.iter().zip([&brightness, &colour, &colour]).zip(&mut before)
            {
                // Twice over one side: the block is stored with sides swapped, which is undone here.
                let transformed = times(&times(&cosines, block), &cosines);
                let numbers = rounded(transformed.as_flattened(), table);
                let [mean, rest @ ..] = numbers;
                bits.number(&means, 0, mean.wrapping_sub(*before));
                *before = mean;
                write_rest(&mut bits, &others, &rest);
            }
        }
    }
    bits.put(0x7f, 7);
    out.append(&mut bits.out);
    out.extend_from_slice(&[0xff, 0xd9]);
    out
}

fn write_rest(bits: &mut Bits, codes: &Codes, numbers: &[i16; 63]) {
    let mut zeros = 0_u8;
    for number in numbers {
        if *number == 0 {
            zeros = zeros.saturating_add(1);
            continue;
        }
        while zeros >= 16 {
            let (code, length) = codes.of(0xf0);
            bits.put(code, length);
            zeros = zeros.saturating_sub(16);
        }
        bits.number(codes, zeros, *number);
        zeros = 0;
    }
    if zeros > 0 {
        let (code, length) = codes.of(0);
        bits.put(code, length);
    }
}

/// A table for a quality, as the reference implementation scales it.
fn scaled(table: &[u8; 64], quality: u8) -> [u8; 64] {
    let quality = u32::from(quality.clamp(1, 100));
    let percent = if quality < 50 { 5000 / quality } else { 200 - quality * 2 };
    table.map(|step| u8::try_from(((u32::from(step) * percent + 50) / 100).clamp(1, 255)).unwrap_or(u8::MAX))
}

fn head(width: u16, height: u16, tables: &[[u8; 64]; 2]) -> Vec<u8> {
    let mut out = vec![0xff, 0xd8];
    segment(&mut out, 0xe0, &[b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"]);
    for (number, table) in (0_u8..).zip(tables) {
        let ordered: Vec<u8> = ZIGZAG.iter().map(|at| table.get(*at).copied().unwrap_or(1)).collect();
        segment(&mut out, 0xdb, &[&[number], &ordered]);
    }
    let colours = [3, 1, 0x11, 0, 2, 0x11, 1, 3, 0x11, 1];
    segment(&mut out, 0xc0, &[&[8], &height.to_be_bytes(), &width.to_be_bytes(), &colours]);
    for (number, (lengths, meanings)) in [(0x00, MEANS), (0x10, OTHERS)] {
        segment(&mut out, 0xc4, &[&[number], &lengths, meanings]);
    }
    segment(&mut out, 0xda, &[&[3, 1, 0, 2, 0, 3, 0, 0, 63, 0]]);
    out
}

fn segment(out: &mut Vec<u8>, marker: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(&[0xff, marker]);
    out.extend_from_slice(&u16::try_from(length.saturating_add(2)).unwrap_or(u16::MAX).to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Brightness and the two colours of the block at a place, column by column; what lies beyond the
/// picture is as its edge.
fn blocks(pixels: &Pixels, left: usize, top: usize) -> [Block; 3] {
    let mut blocks = [[[0.0; EDGE]; EDGE]; 3];
    let [ys, blues, reds] = &mut blocks;
    for (column, ((ys, blues), reds)) in ys.iter_mut().zip(blues).zip(reds).enumerate() {
        let x = left.saturating_add(column).min(pixels.width.saturating_sub(1));
        for (row, ((y, blue), red)) in ys.iter_mut().zip(blues).zip(reds).enumerate() {
            let line = top.saturating_add(row).min(pixels.height.saturating_sub(1));
            let at = line.saturating_mul(pixels.width).saturating_add(x);
            let [r, g, b] = pixels.pixels.get(at).copied().unwrap_or_default().map(f32::from);
            *y = 0.299 * r + 0.587 * g + 0.114 * b - 128.0;
            *blue = -0.168_736 * r - 0.331_264 * g + 0.5 * b;
            *red = 0.5 * r - 0.418_688 * g - 0.081_312 * b;
        }
    }
    blocks
}

/// The matrix of the transform.
fn cosines() -> Block {
    let mut matrix = [[0.0; EDGE]; EDGE];
    for (frequency, row) in (0_u8..).zip(&mut matrix) {
        let scale = if frequency == 0 { FRAC_1_SQRT_2 / 2.0 } else { 0.5 };
        for (place, value) in (0_u8..).zip(row) {
            *value = scale * ((2.0 * f32::from(place) + 1.0) * f32::from(frequency) * PI / 16.0).cos();
        }
    }
    matrix
}

/// The product of a matrix and another one of which the sides are swapped.
fn times(left: &Block, right: &Block) -> Block {
    left.map(|row| right.map(|column| row.iter().zip(column).map(|(a, b)| a * b).sum()))
}

/// The numbers of a block in the order in which they are written, made coarse.
fn rounded(numbers: &[f32], table: &[u8; 64]) -> [i16; 64] {
    ZIGZAG.map(|at| {
        let number = numbers.get(at).copied().unwrap_or(0.0);
        let step = f32::from(table.get(at).copied().unwrap_or(1));
        #[expect(clippy::cast_possible_truncation, reason = "there is no code for larger ones")]
        let coarse = (number / step).round().clamp(-1023.0, 1023.0) as i16;
        coarse
    })
}
