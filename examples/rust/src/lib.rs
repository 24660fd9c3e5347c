//! What the programs share.

use std::error::Error;

use whimbrel::Endpoint;

/// The QR symbol with half blocks, light on a dark terminal.
///
/// # Errors
/// If the text is too long for a symbol.
pub fn drawn(text: &str) -> Result<String, Box<dyn Error>> {
    use qrcode::render::unicode::Dense1x2;
    let code = qrcode::QrCode::new(text)?;
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

/// Where a sandbox is, from the file with its ready line.
///
/// # Errors
/// If it cannot be read, or is not one.
pub fn sandbox(file: &str) -> Result<Endpoint, Box<dyn Error>> {
    let ready: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let text =
        |pointer| ready.pointer(pointer).and_then(|value| value.as_str()).ok_or("not a sandbox's ready line");
    let mut key = [0; 32];
    for (octet, digits) in key.iter_mut().zip(text("/noiseRoot/publicKey")?.as_bytes().chunks(2)) {
        *octet = u8::from_str_radix(std::str::from_utf8(digits)?, 16)?;
    }
    let mut endpoint = Endpoint::default();
    endpoint.url = text("/ws")?.to_owned();
    endpoint.noise_root = Some((key, 0));
    // Whom to trust for its files.
    endpoint.extra_ca_pem = Some(text("/caPem")?.to_owned());
    Ok(endpoint)
}
