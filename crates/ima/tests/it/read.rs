//! Reading and replaying.

use event_log::hash;
use ima::{BootAggregate, Convention, Format, Problem, ProblemKind, boot_aggregate, parse, replay};
use proptest::prelude::*;
use testkit::ima::{Entry, ascii, binary, d_ng, extended, n_ng, ng, pcr_of, signed, violation};
use tpm_wire::{Digest, PcrBank, TpmAlgId};

const SHA256: TpmAlgId = TpmAlgId::SHA256;

fn some() -> Vec<Entry> {
    let old = Entry {
        pcr: 10,
        template: "ima",
        fields: vec![vec![7; 20], b"/sbin/init".to_vec()],
        is_violation: false,
    };
    let verity = Entry {
        pcr: 10,
        template: "ima-sigv2",
        fields: vec![d_ng("verity:sha256", &[9; 32]), n_ng("/usr/lib/x.so"), vec![6, 3, 4]],
        is_violation: false,
    };
    vec![
        ng("boot_aggregate", &[1; 32]),
        old,
        signed("/usr/bin/env", &[2; 32], &[3, 2, 4]),
        signed("/usr/bin/true", &[2; 32], &[]),
        verity,
        violation("/var/log/journal"),
        ng("/usr/bin/id", &[5; 32]),
    ]
}

#[test]
fn both_forms_of_a_list_replay_to_the_pcr_in_each_bank() {
    let entries = some();
    for (bytes, format) in [(binary(&entries), Format::Binary), (ascii(&entries), Format::Ascii)] {
        let (list, problem) = parse(&bytes);
        assert_eq!((list.format, problem), (format, None));
        assert_eq!(list.entries.len(), entries.len());
        for (read, written) in list.entries.iter().zip(&entries) {
            assert_eq!(read.template_data, written.data());
            assert_eq!(read.is_violation(), written.is_violation);
        }
        for alg in [TpmAlgId::SHA1, SHA256, TpmAlgId::SHA384, TpmAlgId::SHA512] {
            let replayed = replay(&list, 10, alg, &pcr_of(alg, &entries)).unwrap();
            assert_eq!((replayed.n_covered(), replayed.n_later()), (entries.len(), 0));
            assert_eq!(replayed.convention(), Convention::BankDigest);
        }
    }
}

#[test]
fn older_kernels_extend_sha1_and_zeros() {
    let entries = some();
    let padded = entries.iter().map(|entry| match entry.is_violation {
        true => Digest::filled(0xff, 32).unwrap(),
        false => {
            let sha1 = entry.digest(TpmAlgId::SHA1);
            Digest::new(&[sha1.as_bytes(), &[0; 12]].concat()).unwrap()
        }
    });
    let quoted = extended(SHA256, padded);
    let bytes = binary(&entries);
    let (list, _) = parse(&bytes);
    let replayed = replay(&list, 10, SHA256, &quoted).unwrap();
    assert_eq!(replayed.convention(), Convention::PaddedSha1);
    assert_eq!(replayed.n_covered(), entries.len());
}

#[test]
fn a_list_that_grew_after_the_quote_is_covered_up_to_it() {
    let entries = some();
    let bytes = binary(&entries);
    let (list, _) = parse(&bytes);
    for n in 1..=entries.len() {
        let replayed = replay(&list, 10, SHA256, &pcr_of(SHA256, &entries[..n])).unwrap();
        assert_eq!((replayed.n_covered(), replayed.n_later()), (n, entries.len() - n));
        assert_eq!(replayed.entries().count(), n);
    }
    // Nothing was measured yet: nothing is covered.
    let zero = Digest::filled(0, 32).unwrap();
    assert_eq!(replay(&list, 10, SHA256, &zero).unwrap().entries().count(), 0);
}

#[test]
fn a_list_that_does_not_lead_to_the_pcr_is_refused() {
    let entries = some();
    let quoted = pcr_of(SHA256, &entries);
    for n in 0..entries.len() {
        let mut dropped = entries.clone();
        dropped.remove(n);
        let mut doubled = entries.clone();
        doubled.insert(n, entries[n].clone());
        let mut other = entries.clone();
        other[n].fields[0][0] ^= 1;
        for altered in [dropped, doubled, other] {
            // What a violation measured is in no digest; and behind the last one a list may go on.
            let is_later = altered.len() > entries.len() && n + 1 == entries.len();
            if is_later || altered.len() == entries.len() && entries[n].is_violation {
                continue;
            }
            let bytes = binary(&altered);
            let (list, _) = parse(&bytes);
            let mismatch = replay(&list, 10, SHA256, &quoted).unwrap_err();
            assert_eq!(mismatch.quoted, quoted);
            assert_eq!(mismatch.replayed, Some(pcr_of(SHA256, &altered)));
        }
    }
    let last = [&entries[..], &[ng("/tmp/x", &[8; 32])]].concat();
    let bytes = binary(&entries);
    assert!(replay(&parse(&bytes).0, 10, SHA256, &pcr_of(SHA256, &last)).is_err(), "one is hidden");
}

#[test]
fn entries_of_another_pcr_are_left_out() {
    let mut entries = some();
    entries[2].pcr = 11;
    let of_10: Vec<_> = entries.iter().filter(|entry| entry.pcr == 10).cloned().collect();
    let bytes = binary(&entries);
    let (list, _) = parse(&bytes);
    let replayed = replay(&list, 10, SHA256, &pcr_of(SHA256, &of_10)).unwrap();
    assert!(replayed.entries().all(|entry| entry.pcr_index == 10));
    assert_eq!(replay(&list, 11, SHA256, &pcr_of(SHA256, &entries[2..3])).unwrap().n_covered(), 3);
}

fn bank(fill: u8) -> PcrBank {
    let mut bank = PcrBank::new(SHA256);
    for index in 0..10 {
        let byte = u8::try_from(index).unwrap() ^ fill;
        assert!(bank.set(index, Digest::filled(byte, 32).unwrap()));
    }
    bank
}

#[test]
fn the_boot_aggregate_ties_a_list_to_its_boot() {
    let quoted = bank(0);
    let over = |last| {
        let values: Vec<_> = (0..=last).map(|index| quoted.get(index).unwrap()).collect();
        let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
        hash(SHA256, &values).unwrap()
    };
    let aggregate = |first: Entry, banks: &[PcrBank]| {
        let entries = [first, ng("/bin/sh", &[1; 32])];
        let bytes = binary(&entries);
        let (list, _) = parse(&bytes);
        boot_aggregate(&replay(&list, 10, SHA256, &pcr_of(SHA256, &entries)).unwrap(), banks)
    };
    let banks = [quoted.clone()];
    for last_pcr in [7, 9] {
        let first = ng("boot_aggregate", over(last_pcr).as_bytes());
        assert_eq!(
            aggregate(first.clone(), &banks),
            BootAggregate::Matches { alg: SHA256, last_pcr }
        );
        assert_eq!(aggregate(first.clone(), &[bank(1)]), BootAggregate::Differs);
        assert_eq!(aggregate(first, &[]), BootAggregate::NotQuoted);
    }
    let other = over(8);
    let first = ng("boot_aggregate", other.as_bytes());
    assert_eq!(aggregate(first, &banks), BootAggregate::Differs);
    let zeros = ng("boot_aggregate", &[0; 32]);
    assert_eq!(aggregate(zeros, &banks), BootAggregate::Zero);
    assert_eq!(aggregate(ng("/init", &[1; 32]), &banks), BootAggregate::Missing);
}

#[test]
fn problems_have_their_byte_and_keep_what_is_before() {
    let entries = some();
    let bytes = binary(&entries);
    let (whole, _) = parse(&bytes);
    for end in 0..bytes.len() {
        let (list, problem) = parse(&bytes[..end]);
        assert_eq!(list.entries[..], whole.entries[..list.entries.len()]);
        match problem {
            None => assert!(whole.entries.iter().any(|e| e.offset == end) || end == 0),
            Some(Problem { offset, kind }) => {
                assert_eq!(kind, ProblemKind::Short);
                assert_eq!(offset, whole.entries[list.entries.len()].offset);
            }
        }
    }
    let kind = |bytes: &[u8]| parse(bytes).1.map(|problem| problem.kind);
    let one = binary(&entries[..1]);
    let with = |at: usize, new: &[u8]| {
        let mut bytes = one.clone();
        bytes[at..at + new.len()].copy_from_slice(new);
        bytes
    };
    assert_eq!(kind(&with(0, &[0, 0, 0, 10])), Some(ProblemKind::PcrIndex { have: 10 << 24 }));
    assert_eq!(kind(&with(24, &u32::MAX.to_le_bytes())), Some(ProblemKind::TemplateName));
    assert_eq!(kind(&with(28, b"\xff")), Some(ProblemKind::TemplateName));
    assert_eq!(kind(&with(34, &u32::MAX.to_le_bytes())), Some(ProblemKind::TemplateSize));
    for line in ["10 00", "x", "10 zz ima-ng", "0 11 ima", "10"] {
        assert!(kind(line.as_bytes()).is_some(), "{line}");
    }
    let digest = "11".repeat(20);
    let line = |end: &str| kind(format!("10 {digest} {end}\n").as_bytes());
    assert_eq!(line("ima-ng sha256:11 /x"), None, "a digest of another length has no meaning");
    assert_eq!(line("ima-ng sha256:11 /x more"), Some(ProblemKind::Line));
    assert_eq!(line("ima-ng sha256"), Some(ProblemKind::Line));
    assert_eq!(line("evm-sig sha256:11 /x"), Some(ProblemKind::Template));
    assert_eq!(line("unheard-of 11"), Some(ProblemKind::Template));
    assert_eq!(kind(b"99 11 x"), Some(ProblemKind::PcrIndex { have: 99 }));
}

#[test]
fn data_behind_the_fields_is_nothing_that_is_known() {
    let mut entry = ng("/bin/sh", &[1; 32]);
    let (bytes, extended) = (binary(&[entry.clone()]), {
        entry.fields.push(vec![1]);
        binary(&[entry])
    });
    assert!(parse(&bytes).0.entries[0].measured().is_some());
    assert_eq!(parse(&extended).0.entries[0].measured(), None);
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (list, _) = parse(&bytes);
        for entry in &list.entries {
            let _ = (entry.measured(), entry.digest(SHA256));
        }
    }

    #[test]
    fn a_changed_byte_never_panics(at in 0_usize..400, byte: u8, text: bool) {
        let entries = some();
        let mut bytes = if text { ascii(&entries) } else { binary(&entries) };
        if let Some(old) = bytes.get_mut(at) {
            *old = byte;
        }
        let (list, _) = parse(&bytes);
        for entry in &list.entries {
            let _ = entry.measured();
        }
        let _ = replay(&list, 10, SHA256, &Digest::filled(1, 32).unwrap());
    }
}
