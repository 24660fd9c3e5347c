//! QR texts as something to look at, for hosts without a drawing library.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use whimbrel::{Code, Error};

/// Draws a QR symbol with half blocks, two rows of modules per line of text, for light text on a
/// dark ground. Every line ends with a newline.
///
/// # Errors
/// [`Code::InvalidArgument`] if the text is too long for a QR symbol.
pub fn draw(text: &str) -> Result<String, Error> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).map_err(|error| {
        Error::new(Code::InvalidArgument, "the text does not fit a QR symbol").because(error)
    })?;
    // The renderer's "dark" draws a block, which on a dark terminal is light.
    let renderer = || code.render::<Dense1x2>();
    let mut drawing = renderer().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    drawing.push('\n');
    Ok(drawing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_is_drawn_light_with_a_quiet_zone() {
        let drawing = draw("2@reference,key,key,secret").unwrap();
        let lines: Vec<_> = drawing.lines().collect();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert!(lines[0].chars().all(|character| character == '█'), "the quiet zone is light");
        // Two modules per line, and the symbol is square: an odd last row may be a half.
        assert_eq!(lines.len(), width.div_ceil(2));
        assert!(drawing.contains('▀') && drawing.contains('▄') && drawing.contains(' '));
    }

    #[test]
    fn a_text_beyond_any_symbol_is_refused() {
        assert_eq!(draw(&"x".repeat(8000)).unwrap_err().code(), Code::InvalidArgument);
    }
}
