//! Reports that come as PDF.

/// What a PDF carries is within its limits, and has the looks of a report with its signature.
pub(crate) fn report_pdf(bytes: &[u8]) {
    let Some((json, jws)) = fleet_report::attachments(bytes) else { return };
    assert!(json.starts_with(b"{") && json.len() <= api::fleet_report::REPORT_BYTES_MAX);
    assert!(jws.contains(".."));
    super::show(&json.len());
}

/// Files as our PDFs carry them, without the pages.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let file = |content: &[u8]| {
        let head = b"1 0 obj\n<</Type/EmbeddedFile/Filter/FlateDecode>>\nstream\n";
        [&head[..], &zlib(content), b"\nendstream\nendobj\n"].concat()
    };
    let (json, jws) = (file(br#"{"schema":"bootproof-report/1"}"#), file(b"eyJ..c2ln"));
    let pdf = |parts: &[&[u8]]| [&b"%PDF-1.7\n"[..], &parts.concat(), b"%%EOF\n"].concat();
    vec![
        pdf(&[&json, &jws]),
        pdf(&[&jws, &json, &json]),
        pdf(&[&json]),
        pdf(&[&json, &jws[..jws.len() - 20]]),
    ]
}

/// `content` as it is, in one block. [RFC 1950 §2.2, RFC 1951 §3.2.4]
fn zlib(content: &[u8]) -> Vec<u8> {
    let len = u16::try_from(content.len()).unwrap_or(0);
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in content {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let (head, sum) = ([0x78, 0x01, 0x01], (b << 16) | a);
    [&head[..], &len.to_le_bytes(), &(!len).to_le_bytes(), content, &sum.to_be_bytes()].concat()
}
