//! What a machine does to its TPM by other ways than commands: swtpm's control channel.
//! [swtpm_ioctls(3)]

use std::io::{self, Read, Write};

const HASH_START: u32 = 6;
const HASH_DATA: u32 = 7;
const HASH_END: u32 = 8;

/// A dynamic launch of `measured`, as the processor does it: PCR 17 to 22 become zeros, and the
/// digest of `measured` is extended into PCR 17. [TPM2-P3-1.59 §22.8 to 22.10]
///
/// `control` is a connection to swtpm's control channel on which nobody else waits for an answer.
pub fn dynamic_launch(mut control: impl Read + Write, measured: &[u8]) -> io::Result<()> {
    let len = u32::try_from(measured.len()).map_err(io::Error::other)?;
    let data = [&HASH_DATA.to_be_bytes()[..], &len.to_be_bytes(), measured].concat();
    for request in [&HASH_START.to_be_bytes()[..], &data, &HASH_END.to_be_bytes()] {
        control.write_all(request)?;
        let mut result = [0; 4];
        control.read_exact(&mut result)?;
        if result != [0; 4] {
            let code = u32::from_be_bytes(result);
            return Err(io::Error::other(format!("swtpm measures no launch: {code:#x}")));
        }
    }
    Ok(())
}
