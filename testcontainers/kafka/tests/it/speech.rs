//! Just enough of Kafka's protocol to hear whether a broker lets one in.

use std::io::{Error, ErrorKind, Read, Result, Write};

/// A request without a client's name.
pub(crate) fn request(key: i16, version: i16, body: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    request.extend((10 + body.len() as i32).to_be_bytes());
    request.extend(key.to_be_bytes());
    request.extend(version.to_be_bytes());
    request.extend([0, 0, 0, 7, 0xff, 0xff]); // correlation id, no client id
    request.extend(body);
    request
}

/// Asks which versions of requests there are, which every broker answers to whom it listens to.
pub(crate) fn api_versions() -> Vec<u8> {
    request(18, 0, &[])
}

/// The body of the answer to the only request on its way.
pub(crate) fn answer(stream: &mut impl Read) -> Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = i32::from_be_bytes(length);
    if !(4..1_000_000).contains(&length) {
        return Err(Error::new(ErrorKind::InvalidData, format!("not an answer: {length} bytes")));
    }
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer)?;
    assert_eq!(answer[..4], [0, 0, 0, 7], "the correlation id");
    Ok(answer.split_off(4))
}

/// Asks and hears the answer.
pub(crate) fn ask(stream: &mut (impl Read + Write), request: &[u8]) -> Result<Vec<u8>> {
    stream.write_all(request)?;
    stream.flush()?;
    answer(stream)
}
