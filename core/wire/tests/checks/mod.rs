//! What must hold for any bytes at all. The fuzz targets and the tests run the same checks.
#![expect(clippy::unwrap_used, reason = "a panic is the report")]

use whimbrel_wire::{
    ConnectionHeader, FrameDecoder, FrameError, FrameLimits, HeaderError, HeaderParser,
    codec::{InteropForm, decode_frame_with},
    decode_frame, encode, encode_compressed, encode_frame,
};

/// Any plaintext is a node or an error. A node is written again, in a form that reads as the same node and
/// does not change any more.
pub(crate) fn decode_node(data: &[u8]) {
    let lenient = decode_frame_with(data, InteropForm::ServerOptional);
    let Ok(node) = decode_frame(data) else { return };
    assert_eq!(node.to_string(), node.to_node().to_string());

    let mut canonical = Vec::new();
    encode(&node, &mut canonical).unwrap();
    let again = decode_frame(&canonical).unwrap();
    assert_eq!(again, node);
    let mut repeated = Vec::new();
    encode(&again, &mut repeated).unwrap();
    assert_eq!(repeated, canonical);

    let mut compressed = Vec::new();
    encode_compressed(&node, &mut compressed).unwrap();
    assert_eq!(decode_frame(&compressed).unwrap(), node);

    // The lenient reading differs only where text after an interop address could be its server.
    if !data.windows(7).any(|window| window == b"interop") && data.first().is_some_and(|flags| flags & 2 == 0)
    {
        assert_eq!(lenient.unwrap(), node);
    }
}

/// The result of a whole stream: the header, the frames, and how it ended.
type Stream = (Option<ConnectionHeader>, Vec<Vec<u8>>, Option<Failure>);

#[derive(Debug, PartialEq, Eq)]
enum Failure {
    Header(HeaderError),
    Frame(FrameError),
}

/// Any stream splits into the same header and frames wherever it is cut; what was read is written again as
/// the bytes that were consumed. The first byte chooses the cut and whether there is a header.
pub(crate) fn frames(data: &[u8]) {
    let Some((choice, stream)) = data.split_first() else { return };
    let with_header = choice & 1 == 0;
    let cut = usize::from(choice >> 1) * stream.len() / 127;
    let (left, right) = stream.split_at_checked(cut).unwrap();

    let whole = read(with_header, &[stream]);
    assert_eq!(read(with_header, &[left, right]), whole);
    if stream.len() <= 4096 {
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(read(with_header, &bytes), whole);
    }

    let (header, frames, _) = whole;
    let mut written = Vec::new();
    if let Some(header) = header {
        header.write(&mut written).unwrap();
    }
    for frame in frames {
        encode_frame(&frame, &mut written).unwrap();
    }
    assert!(stream.starts_with(&written));
}

fn read(with_header: bool, pieces: &[&[u8]]) -> Stream {
    let mut parser = HeaderParser::new();
    let mut decoder = FrameDecoder::new(FrameLimits::HANDSHAKE);
    let mut header = None;
    let mut frames = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        if with_header && header.is_none() {
            match parser.parse(&mut input) {
                Ok(parsed) => header = parsed,
                Err(error) => return (None, frames, Some(Failure::Header(error))),
            }
            if header.is_none() {
                continue;
            }
        }
        loop {
            match decoder.next_frame(&mut input) {
                Ok(Some(frame)) => frames.push(frame.to_vec()),
                Ok(None) => break,
                Err(error) => return (header, frames, Some(Failure::Frame(error))),
            }
        }
    }
    (header, frames, None)
}
