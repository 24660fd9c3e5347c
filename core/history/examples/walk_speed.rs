//! How fast a large chunk is read, and how much memory that takes:
//! `cargo run --release -p whimbrel-history --example walk_speed`.
#![expect(clippy::unwrap_used, reason = "an example may end with a panic")]

use std::io::Write;
use std::ops::ControlFlow;
use std::time::Instant;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use whimbrel_history::{Event, Limits, Reader};

const MESSAGES: u32 = 150_000;

fn field(number: u8, content: &[u8], out: &mut Vec<u8>) {
    out.push(number << 3 | 2);
    let mut length = content.len();
    while length >= 0x80 {
        out.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    out.push(u8::try_from(length).unwrap());
    out.extend_from_slice(content);
}

/// A message of some 350 octets, as a text with some context has them.
fn message(number: u32) -> Vec<u8> {
    let [mut key, mut content, mut info, mut out] = [const { Vec::new() }; 4];
    field(1, b"120363000000000001@g.us", &mut key);
    key.extend_from_slice(&[0x10, 0]);
    field(
        3,
        format!("3EB0{:016X}", u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)).as_bytes(),
        &mut key,
    );
    field(4, b"333333333333333@lid", &mut key);
    let words = ["when", "shall", "we", "three", "meet", "again", "thunder", "lightning", "rain"];
    let mut text = String::new();
    let mut random = number.wrapping_mul(2_654_435_761);
    while text.len() < 220 {
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12345);
        let [_, _, index, _] = random.to_le_bytes();
        text.push_str(words.get(usize::from(index) % words.len()).unwrap());
        text.push(' ');
    }
    field(1, text.as_bytes(), &mut content);
    field(1, &key, &mut info);
    field(2, &content, &mut info);
    info.extend_from_slice(&[0x18, 0x80, 0xe2, 0xcf, 0xaa, 0x06, 0x20, 4]);
    field(5, b"333333333333333@lid", &mut info);
    field(1, &info, &mut out);
    out.extend_from_slice(&[0x10, 7]);
    out
}

/// The greatest memory of the process so far, in KiB; 0 where that is not told.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Processor time of the process so far, in seconds; 0 where that is not told.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u32 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    f64::from(ticks) / 100.0
}

fn main() {
    let (mut encoder, mut inflated) = (ZlibEncoder::new(Vec::new(), Compression::fast()), 0);
    // One chat with all of them: the length of a chat stands before it.
    let length: usize = (0..MESSAGES)
        .map(|number| {
            let mut out = Vec::new();
            field(2, &message(number), &mut out);
            out.len()
        })
        .sum();
    let mut head = vec![0x08, 3];
    let mut address = Vec::new();
    field(1, b"120363000000000001@g.us", &mut address);
    head.push(0x12);
    let mut rest = length + address.len();
    while rest >= 0x80 {
        head.push(u8::try_from(rest & 0x7f).unwrap() | 0x80);
        rest >>= 7;
    }
    head.push(u8::try_from(rest).unwrap());
    head.extend_from_slice(&address);
    let mut write = |bytes: &[u8]| {
        inflated += bytes.len();
        encoder.write_all(bytes).unwrap();
    };
    write(&head);
    for number in 0..MESSAGES {
        let mut out = Vec::new();
        field(2, &message(number), &mut out);
        write(&out);
    }
    let compressed = encoder.finish().unwrap();
    println!(
        "{MESSAGES} messages, {} KiB compressed, {} KiB inflated",
        compressed.len() >> 10,
        inflated >> 10
    );

    for (name, work) in [("walked", 0), ("heads read", 1), ("decoded", 2)] {
        let (before, used, start) = (peak(), processor(), Instant::now());
        let mut reader = Reader::new(Limits::default());
        let mut count = 0_u32;
        for chunk in compressed.chunks(1 << 16) {
            reader
                .update(chunk, &mut |event| {
                    if let Event::Message { message, .. } = event {
                        let read = match work {
                            0 => true,
                            1 => message.head().is_some(),
                            _ => message.decode().is_ok(),
                        };
                        count += u32::from(read);
                    }
                    ControlFlow::Continue(())
                })
                .unwrap();
        }
        reader.finish().unwrap();
        assert_eq!(count, MESSAGES);
        println!(
            "{name:12} {:.2} s, {:.2} s of the processor, {} KiB more at the peak",
            start.elapsed().as_secs_f64(),
            processor() - used,
            peak().saturating_sub(before)
        );
    }
}
