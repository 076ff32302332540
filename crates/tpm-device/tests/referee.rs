//! Real frames of a real swtpm, read by another codec and, mutated, by ours.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use testkit::swtpm::{Ca, Swtpm};
use tpm_device::{Address, DeviceError, Tpm, Transport};
use tpm_wire::command::{
    ActivateCredential, Command, Create, CreatePrimary, EvictControl, FlushContext, GetCapability,
    GetRandom, Load, NvRead, NvReadPublic, PcrExtend, PcrRead, PolicyGetDigest, PolicyOr,
    PolicySecret, Quote, ReadPublic, Shutdown, StartPolicySession, Startup, StartupType, decode,
};
use tpm_wire::template::{AK_P256, AK_RSA2048, EK_H3, EK_L1, EkPolicy, SRK_P256};
use tpm_wire::{Digest, Handle, PcrSelection, PcrSet, TpmAlgId};
use tpm2_protocol::frame::{self, TpmCommand, TpmResponse};

type Frames = Arc<Mutex<Vec<(Vec<u8>, Vec<u8>)>>>;

/// Keeps what goes over a transport.
struct Recording {
    transport: Box<dyn Transport>,
    frames: Frames,
}

impl Transport for Recording {
    fn transmit(
        &mut self,
        command: &[u8],
        response: &mut Vec<u8>,
        time: Duration,
    ) -> Result<(), DeviceError> {
        self.transport.transmit(command, response, time)?;
        self.frames.lock().unwrap().push((command.to_vec(), response.clone()));
        Ok(())
    }
}

/// What the three of a command are: the referee's reading of it, the referee's reading of its
/// response, ours.
macro_rules! codecs {
    ($code:expr, $command:expr, $response:expr, $($ours:ty => $theirs:ident, $answer:ident;)*) => {
        match $code {
            $(<$ours as Command>::CODE => (
                TpmCommand::cast($command)
                    .and_then(|command| command.unmarshal::<frame::$theirs>())
                    .map(drop),
                TpmResponse::cast($response)
                    .and_then(|response| response.unmarshal::<frame::$answer>())
                    .map(drop),
                decode::<$ours>($response).map(drop),
            ),)*
            other => panic!("{other:#x} is missing in this test"),
        }
    };
}

type Read<E> = Result<(), E>;

fn read(
    command: &[u8],
    response: &[u8],
) -> (
    Read<tpm2_protocol::TpmError>,
    Read<tpm2_protocol::TpmError>,
    Read<tpm_wire::command::ResponseError>,
) {
    codecs!(code(command), command, response,
        Startup => TpmStartupCommand, TpmStartupResponse;
        Shutdown => TpmShutdownCommand, TpmShutdownResponse;
        GetCapability => TpmGetCapabilityCommand, TpmGetCapabilityResponse;
        GetRandom => TpmGetRandomCommand, TpmGetRandomResponse;
        CreatePrimary<'_> => TpmCreatePrimaryCommand, TpmCreatePrimaryResponse;
        Create<'_> => TpmCreateCommand, TpmCreateResponse;
        Load<'_> => TpmLoadCommand, TpmLoadResponse;
        ReadPublic => TpmReadPublicCommand, TpmReadPublicResponse;
        FlushContext => TpmFlushContextCommand, TpmFlushContextResponse;
        EvictControl => TpmEvictControlCommand, TpmEvictControlResponse;
        NvReadPublic => TpmNvReadPublicCommand, TpmNvReadPublicResponse;
        NvRead => TpmNvReadCommand, TpmNvReadResponse;
        PcrRead => TpmPcrReadCommand, TpmPcrReadResponse;
        PcrExtend<'_> => TpmPcrExtendCommand, TpmPcrExtendResponse;
        Quote<'_> => TpmQuoteCommand, TpmQuoteResponse;
        StartPolicySession => TpmStartAuthSessionCommand, TpmStartAuthSessionResponse;
        PolicySecret => TpmPolicySecretCommand, TpmPolicySecretResponse;
        PolicyOr<'_> => TpmPolicyOrCommand, TpmPolicyOrResponse;
        PolicyGetDigest => TpmPolicyGetDigestCommand, TpmPolicyGetDigestResponse;
        ActivateCredential<'_> => TpmActivateCredentialCommand, TpmActivateCredentialResponse;
    )
}

fn code(command: &[u8]) -> u32 {
    u32::from_be_bytes(command[6..10].try_into().unwrap())
}

/// Everything that we can ask of a TPM, once.
fn frames() -> Vec<(Vec<u8>, Vec<u8>)> {
    let ca = Ca::new().unwrap();
    let swtpm = Swtpm::builder().banks("sha256,sha384").ek_cert(&ca).start().unwrap();
    let address: Address = swtpm.address().parse().unwrap();
    let frames = Frames::default();
    let transport = tpm_device::open(&address).unwrap();
    let mut tpm = Tpm::new(Box::new(Recording { transport, frames: frames.clone() }));

    tpm.pcr_banks().unwrap();
    tpm.curves().unwrap();
    tpm.property(tpm_device::pt::MANUFACTURER).unwrap();
    tpm.handles(Handle::NV_FIRST).unwrap();
    tpm.read_nv(Handle(0x01c0_0016)).unwrap().unwrap();
    tpm.read_public(Handle(0x8101_0001)).unwrap().unwrap();
    tpm.run(&GetRandom { n_bytes: 32 }).unwrap();
    let digests = [
        (TpmAlgId::SHA256, Digest::filled(1, 32).unwrap()),
        (TpmAlgId::SHA384, Digest::filled(1, 48).unwrap()),
    ];
    tpm.run(&PcrExtend { index: 4, digests: &digests }).unwrap();
    let algs = [TpmAlgId::SHA256, TpmAlgId::SHA384];
    let selection = PcrSelection::of_banks(algs, PcrSet::FIRMWARE).unwrap();
    tpm.read_pcrs(&selection).unwrap();

    let srk = SRK_P256.to_bytes().unwrap();
    for template in [&AK_P256, &AK_RSA2048] {
        tpm.scope(|tpm| {
            let srk = CreatePrimary { hierarchy: Handle::OWNER, template: &srk };
            let parent = tpm.run(&srk)?.handle;
            let template = &template.to_bytes().unwrap();
            let made = tpm.run(&Create { parent, template })?;
            let (private, public) = (&made.private, &made.public);
            let (key, _) = tpm.run(&Load { parent, private, public })?;
            tpm.run(&Quote { key, qualifying_data: b"a nonce", selection })
        })
        .unwrap();
    }

    for template in [&EK_L1, &EK_H3] {
        let ek = template.area.to_bytes().unwrap();
        tpm.scope(|tpm| {
            let ek = CreatePrimary { hierarchy: Handle::ENDORSEMENT, template: &ek };
            let endorsement = tpm.run(&ek)?.handle;
            let session = tpm.run(&StartPolicySession { auth_hash: template.area.name_alg })?;
            tpm.run(&PolicySecret { auth: Handle::ENDORSEMENT, session })?;
            if let EkPolicy::SecretOr(branches) = template.policy {
                tpm.run(&PolicyOr { session, branches: &branches })?;
            }
            let digest = tpm.run(&PolicyGetDigest { session })?;
            assert_eq!(digest, template.area.auth_policy, "{}", template.name);
            let (id_object, encrypted_secret) = (&[1; 66][..], &[2; 256][..]);
            let key = endorsement;
            let activate =
                ActivateCredential { key, endorsement, session, id_object, encrypted_secret };
            assert!(tpm.run(&activate).unwrap_err().refused().is_some());
            Ok::<_, tpm_device::TpmError>(())
        })
        .unwrap();
    }
    let persistent = Handle(0x8101_0001);
    tpm.run(&EvictControl { object: persistent, persistent }).unwrap();
    assert!(tpm.run(&Startup(StartupType::Clear)).unwrap_err().refused().is_some());
    tpm.run(&Shutdown(StartupType::Clear)).unwrap();
    drop(tpm);
    let mut frames = frames.lock().unwrap();
    std::mem::take(&mut *frames)
}

#[test]
fn real_frames_are_read_by_both_and_mutated_ones_do_no_harm() {
    let frames = frames();
    let mut codes = BTreeSet::new();
    for (command, response) in &frames {
        codes.insert(code(command));
        let (theirs_command, theirs, ours) = read(command, response);
        assert_eq!(theirs_command, Ok(()), "{command:02x?}");
        // A refusal has no body: then the referee finds it too short, and we find the code.
        let refused = response[6..10] != [0; 4];
        assert_eq!(ours.is_err(), refused, "{ours:?}: {response:02x?}");
        assert!(theirs.is_ok() || response.len() == 10, "{theirs:?}: {response:02x?}");

        for len in 0..response.len() {
            assert!(read(command, &response[..len]).2.is_err());
        }
        for at in 0..response.len() {
            for bit in 0..8 {
                let mut flipped = response.clone();
                flipped[at] ^= 1 << bit;
                let (_, _, ours) = read(command, &flipped);
                // Tag, size and code are what a response is known by.
                assert!(ours.is_err() || at >= 10 || refused, "byte {at}: {response:02x?}");
            }
        }
    }
    assert_eq!(codes.len(), 20, "each command was sent: {codes:x?}");
}
