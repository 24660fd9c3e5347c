//! Scaling down line by line: every pixel becomes part of the mean of the one it falls into.

/// A picture with eight bits for each of red, green and blue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pixels {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Line by line.
    pub(super) pixels: Vec<[u8; 3]>,
}

impl Pixels {
    /// The picture as an EXIF orientation says that it is shown.
    pub(super) fn turned(self, orientation: u8) -> Self {
        let (width, height) = (self.width, self.height);
        let swapped = orientation >= 5;
        let (new_width, new_height) = if swapped { (height, width) } else { (width, height) };
        let right = |x: usize| width.saturating_sub(1).saturating_sub(x);
        let down = |y: usize| height.saturating_sub(1).saturating_sub(y);
        let mut pixels = Vec::with_capacity(self.pixels.len());
        for y in 0..new_height {
            for x in 0..new_width {
                let (from_x, from_y) = match orientation {
                    2 => (right(x), y),
                    3 => (right(x), down(y)),
                    4 => (x, down(y)),
                    5 => (y, x),
                    6 => (y, down(x)),
                    7 => (right(y), down(x)),
                    8 => (right(y), x),
                    _ => (x, y),
                };
                let at = from_y.saturating_mul(width).saturating_add(from_x);
                pixels.push(self.pixels.get(at).copied().unwrap_or_default());
            }
        }
        Self { width: new_width, height: new_height, pixels }
    }
}

/// What is left of a picture, and how large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    /// All of it, with this longest edge.
    Whole(usize),
    /// The square in its middle, with this edge.
    Square(usize),
}

/// Takes the lines of a picture from top to bottom.
pub(super) struct Scaler {
    /// Pixels before the part that is left, in each line.
    left: usize,
    /// Lines above that part.
    top: usize,
    width: usize,
    height: usize,
    new_width: usize,
    new_height: usize,
    line: usize,
    /// Sums of the pixels that fall into each pixel of the current line, and their count.
    sums: Vec<[u64; 4]>,
    pixels: Vec<[u8; 3]>,
}

impl Scaler {
    /// Scales down; nothing becomes larger.
    pub(super) fn new(whole_width: usize, whole_height: usize, fit: Fit) -> Self {
        let (width, height, edge) = match fit {
            Fit::Whole(edge) => (whole_width, whole_height, edge),
            Fit::Square(edge) => (whole_width.min(whole_height), whole_width.min(whole_height), edge),
        };
        let longest = width.max(height).max(1);
        let scaled = |length: usize| match longest {
            longest if longest <= edge => length,
            longest => (length.saturating_mul(edge) / longest).max(1),
        };
        let (new_width, new_height) = (scaled(width), scaled(height));
        Self {
            left: whole_width.saturating_sub(width) / 2,
            top: whole_height.saturating_sub(height) / 2,
            width,
            height,
            new_width,
            new_height,
            line: 0,
            sums: vec![[0; 4]; new_width],
            pixels: Vec::with_capacity(new_width.saturating_mul(new_height)),
        }
    }

    /// Takes the next line.
    pub(super) fn line(&mut self, pixels: impl Iterator<Item = [u8; 3]>) {
        if self.top > 0 {
            self.top = self.top.saturating_sub(1);
            return;
        }
        if self.line >= self.height {
            return;
        }
        for (x, [red, green, blue]) in pixels.skip(self.left).take(self.width).enumerate() {
            let to = x.saturating_mul(self.new_width) / self.width.max(1);
            if let Some(sum) = self.sums.get_mut(to) {
                let [reds, greens, blues, count] = sum;
                *reds += u64::from(red);
                *greens += u64::from(green);
                *blues += u64::from(blue);
                *count += 1;
            }
        }
        let now = self.line.saturating_mul(self.new_height) / self.height.max(1);
        self.line = self.line.saturating_add(1);
        let next = self.line.saturating_mul(self.new_height) / self.height.max(1);
        if next > now {
            for sum in &mut self.sums {
                let [reds, greens, blues, count] = *sum;
                let mean = |sum: u64| u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX);
                self.pixels.push([mean(reds), mean(greens), mean(blues)]);
                *sum = [0; 4];
            }
        }
    }

    /// The scaled picture; `None` if there were not as many lines as there should be.
    pub(super) fn finish(self) -> Option<Pixels> {
        let complete = self.pixels.len() == self.new_width.checked_mul(self.new_height)?;
        complete.then_some(Pixels { width: self.new_width, height: self.new_height, pixels: self.pixels })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: usize, height: usize) -> Pixels {
        let pixels = (0..width * height).map(|at| [u8::try_from(at).unwrap(), 0, 0]).collect();
        Pixels { width, height, pixels }
    }

    #[test]
    fn every_orientation_shows_the_right_corner_first() {
        // 0 1 2
        // 3 4 5
        for (orientation, expected) in [
            (1, [0, 1, 2, 3, 4, 5]),
            (2, [2, 1, 0, 5, 4, 3]),
            (3, [5, 4, 3, 2, 1, 0]),
            (4, [3, 4, 5, 0, 1, 2]),
            (5, [0, 3, 1, 4, 2, 5]),
            (6, [3, 0, 4, 1, 5, 2]),
            (7, [5, 2, 4, 1, 3, 0]),
            (8, [2, 5, 1, 4, 0, 3]),
        ] {
            let turned = picture(3, 2).turned(orientation);
            assert_eq!((turned.width, turned.height), if orientation >= 5 { (2, 3) } else { (3, 2) });
            assert_eq!(turned.pixels, expected.map(|red| [red, 0, 0]), "{orientation}");
        }
    }

    #[test]
    fn a_scaled_pixel_is_the_mean_of_what_falls_into_it() {
        let mut scaler = Scaler::new(4, 2, Fit::Whole(2));
        scaler.line([[0; 3], [100; 3], [10; 3], [10; 3]].into_iter());
        scaler.line([[0; 3], [100; 3], [30; 3], [30; 3]].into_iter());
        let expected = Pixels { width: 2, height: 1, pixels: vec![[50; 3], [20; 3]] };
        assert_eq!(scaler.finish(), Some(expected));
        let mut same = Scaler::new(2, 1, Fit::Whole(100));
        same.line([[1; 3], [2; 3]].into_iter());
        assert_eq!(same.finish().unwrap().pixels, [[1; 3], [2; 3]]);
        // A line of a pixel stays one.
        assert_eq!(Scaler::new(1000, 1, Fit::Whole(100)).new_height, 1);
        assert_eq!(Scaler::new(2, 2, Fit::Whole(2)).finish(), None);
    }

    #[test]
    fn a_square_is_the_middle_of_its_picture() {
        let mut wide = Scaler::new(4, 2, Fit::Square(2));
        wide.line([[1; 3], [2; 3], [3; 3], [4; 3]].into_iter());
        wide.line([[5; 3], [6; 3], [7; 3], [8; 3]].into_iter());
        let expected = Pixels { width: 2, height: 2, pixels: vec![[2; 3], [3; 3], [6; 3], [7; 3]] };
        assert_eq!(wide.finish(), Some(expected));
        let mut high = Scaler::new(1, 3, Fit::Square(1));
        for line in 1..=3 {
            high.line([[line; 3]].into_iter());
        }
        assert_eq!(high.finish().unwrap().pixels, [[2; 3]]);
    }
}
