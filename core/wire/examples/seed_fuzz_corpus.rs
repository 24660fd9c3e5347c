//! Writes the seeds of the fuzz targets `decode_node` and `frames` from the vector files:
//! `cargo run -p whimbrel-wire --example seed_fuzz_corpus`.

use serde::Deserialize as _;
use serde_json::Value;
use std::{error::Error, fs, path::Path};
use whimbrel_wire::{ConnectionHeader, encode_frame};

/// Seeds stay small; a fuzzer makes them longer itself.
const MAX_SEED: usize = 512;

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join("tests/vectors/binary-node.json"))?;
    let mut reader = serde_json::Deserializer::from_str(&text);
    reader.disable_recursion_limit();
    let file = Value::deserialize(&mut reader)?;

    let mut plaintexts = Vec::new();
    for (kind, prefix) in [("valid", ""), ("malformed", "bad-")] {
        for vector in file.get(kind).and_then(Value::as_array).into_iter().flatten() {
            let field = |key| vector.get(key).and_then(Value::as_str);
            let (Some(name), Some(frame)) = (field("name"), field("frame_hex")) else { continue };
            let frame = hex::decode(frame)?;
            if frame.len() <= MAX_SEED {
                plaintexts.push((format!("{prefix}{name}"), frame));
            }
        }
    }
    write(&root.join("fuzz/corpus/decode_node"), &plaintexts)?;

    // Streams: eight plaintexts to a stream, each with other cuts and, in turn, no header, a plain one and
    // one with routing info.
    let mut streams = Vec::new();
    for (number, group) in plaintexts.chunks(8).enumerate() {
        let header = number % 3;
        let mut stream = vec![(number * 37 % 128 * 2) as u8 | u8::from(header == 0)];
        if header > 0 {
            let routing_info = (header == 2).then(|| vec![8, 2, 8, 5]);
            ConnectionHeader { routing_info }.write(&mut stream)?;
        }
        for (_, plaintext) in group {
            encode_frame(plaintext, &mut stream)?;
        }
        streams.push((format!("stream-{number:02}"), stream));
    }
    let too_long = [&[1, 1, 0, 1][..], &[0; 40]].concat();
    let routing_too_long = b"\x40ED\x00\x01\x00\x04\x01".to_vec();
    streams.push(("bad-frame-too-long".to_owned(), too_long));
    streams.push(("bad-routing-info-too-long".to_owned(), routing_too_long));
    streams.push(("bad-dictionary".to_owned(), b"\x40WA\x06\x02".to_vec()));
    streams.push(("bad-http".to_owned(), b"\x40GET / HTTP/1.1\r\n\r\n".to_vec()));
    write(&root.join("fuzz/corpus/frames"), &streams)
}

fn write(folder: &Path, seeds: &[(String, Vec<u8>)]) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in seeds {
        fs::write(folder.join(name), bytes)?;
    }
    println!("{} seeds in {}", seeds.len(), folder.display());
    Ok(())
}
