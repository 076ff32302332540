use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tpm_wire::TpmAlgId;
use tpm_wire::command::{GetRandom, StartPolicySession};

use super::*;

/// Answers from a list and keeps what was asked.
#[derive(Clone, Default)]
struct Script {
    answers: Arc<Mutex<VecDeque<Option<Vec<u8>>>>>,
    asked: Arc<Mutex<Vec<u32>>>,
}

impl Transport for Script {
    fn transmit(
        &mut self,
        command: &[u8],
        response: &mut Vec<u8>,
        _: Duration,
    ) -> Result<(), DeviceError> {
        let code = u32::from_be_bytes(command[6..10].try_into().unwrap());
        self.asked.lock().unwrap().push(code);
        match self.answers.lock().unwrap().pop_front() {
            Some(Some(answer)) => *response = answer,
            Some(None) => return Err(DeviceError::Timeout { time_s: 0 }),
            None => *response = answer(0, &[]),
        }
        Ok(())
    }
}

fn answer(code: u32, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(10 + body.len()).unwrap();
    [&[0x80, 0x01][..], &len.to_be_bytes(), &code.to_be_bytes(), body].concat()
}

fn tpm(answers: impl IntoIterator<Item = Option<Vec<u8>>>) -> (Tpm, Script) {
    let script = Script::default();
    script.answers.lock().unwrap().extend(answers);
    (Tpm::new(Box::new(script.clone())), script)
}

const RANDOM: GetRandom = GetRandom { n_bytes: 2 };
const SESSION: StartPolicySession = StartPolicySession { auth_hash: TpmAlgId::SHA256 };
const FLUSH: u32 = 0x165;

fn session(handle: u8) -> Option<Vec<u8>> {
    Some(answer(0, &[3, 0, 0, handle, 0, 0]))
}

#[test]
fn a_command_is_sent_again_when_the_tpm_asks() {
    let again = [0x922, 0x908, 0x90a, 0x920, 0x923].map(|code| Some(answer(code, &[])));
    let (mut tpm, script) = tpm(again.into_iter().chain([Some(answer(0, &[0, 2, 5, 6]))]));
    assert_eq!(tpm.run(&RANDOM).unwrap(), [5, 6]);
    assert_eq!(script.asked.lock().unwrap().len(), 6);
}

#[test]
fn a_tpm_in_lockout_is_asked_once() {
    let (mut tpm, script) = tpm([Some(answer(0x921, &[]))]);
    assert_eq!(tpm.run(&RANDOM).unwrap_err().refused(), Some(ResponseCode::LOCKOUT));
    assert_eq!(script.asked.lock().unwrap().len(), 1);
}

#[test]
fn a_tpm_that_always_asks_again_is_given_up() {
    let (mut tpm, script) = tpm(std::iter::repeat_n(Some(answer(0x922, &[])), 100));
    tpm.pause_max = PAUSE_FIRST;
    let error = tpm.run(&RANDOM).unwrap_err();
    assert_eq!(error.refused(), Some(ResponseCode::RETRY));
    assert_eq!(script.asked.lock().unwrap().len(), 21);
}

#[test]
fn a_scope_flushes_on_every_way_out() {
    let refused = || Some(answer(0x18b, &[]));
    let (mut tpm, script) = tpm([session(1), session(2), refused()]);
    let result: Result<(), TpmError> = tpm.scope(|tpm| {
        tpm.run(&SESSION)?;
        tpm.run(&SESSION)?;
        tpm.run(&RANDOM)?;
        Ok(())
    });
    assert_eq!(result.unwrap_err().refused(), Some(ResponseCode::HANDLE));
    assert_eq!(*script.asked.lock().unwrap(), [0x176, 0x176, 0x17b, FLUSH, FLUSH]);
    drop(tpm);
    assert_eq!(script.asked.lock().unwrap().len(), 5);
}

#[test]
fn a_session_is_flushed_also_where_the_rest_of_the_answer_is_wrong() {
    let (mut tpm, script) = tpm([Some(answer(0, &[3, 0, 0, 1, 0, 9]))]);
    let error = tpm.scope(|tpm| tpm.run(&SESSION)).unwrap_err();
    assert!(matches!(error, TpmError::Malformed { .. }));
    assert_eq!(*script.asked.lock().unwrap(), [0x176, FLUSH]);
}

#[test]
fn what_is_kept_leaves_the_scope_and_goes_at_the_end() {
    let (mut tpm, script) = tpm([session(1), session(2)]);
    tpm.scope(|tpm| -> Result<(), TpmError> {
        let first = tpm.run(&SESSION)?;
        tpm.run(&SESSION)?;
        tpm.keep(first);
        Ok(())
    })
    .unwrap();
    assert_eq!(*script.asked.lock().unwrap(), [0x176, 0x176, FLUSH]);
    drop(tpm);
    assert_eq!(script.asked.lock().unwrap().len(), 4);
}

#[test]
fn nothing_is_sent_after_the_connection_failed() {
    let (mut tpm, script) = tpm([session(1), None]);
    tpm.run(&SESSION).unwrap();
    assert!(matches!(tpm.run(&RANDOM), Err(TpmError::Device { .. })));
    assert!(tpm.is_broken());
    let error = tpm.run(&RANDOM).unwrap_err();
    assert_eq!(error.hint(), Some("open the TPM again"));
    drop(tpm);
    assert_eq!(script.asked.lock().unwrap().len(), 2);
}

/// moreData, TPM_CAP_HANDLES and the handles.
fn handles(more: u8, handles: &[u32]) -> Option<Vec<u8>> {
    let n = u32::try_from(handles.len()).unwrap();
    let mut body = vec![more];
    for field in [&[1, n][..], handles].concat() {
        body.extend(field.to_be_bytes());
    }
    Some(answer(0, &body))
}

#[test]
fn a_list_is_read_to_its_end() {
    let pages = [handles(1, &[0x8100_0001, 0x8101_0001]), handles(0, &[0x8101_0016])];
    let (mut tpm, script) = tpm(pages);
    let found = tpm.handles(Handle::PERSISTENT_FIRST).unwrap();
    assert_eq!(found, [0x8100_0001, 0x8101_0001, 0x8101_0016].map(Handle));
    assert_eq!(script.asked.lock().unwrap().len(), 2);
}

#[test]
fn a_list_without_progress_or_end_is_left() {
    let (mut stuck, script) = tpm(std::iter::repeat_n(handles(1, &[0x8100_0001]), 100));
    stuck.handles(Handle::PERSISTENT_FIRST).unwrap();
    assert_eq!(script.asked.lock().unwrap().len(), 2);
    let (mut endless, _) = tpm((0..1000).map(|n| handles(1, &[0x8100_0000 + n])));
    let error = endless.handles(Handle::PERSISTENT_FIRST).unwrap_err();
    assert!(matches!(error, TpmError::Endless { .. }));
}
