//! The program `age` as referee: it opens what we encrypt, and we open what it encrypts.

use std::io::{BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use backup::age::{Decryptor, Encryptor, Identity, Recipient};

/// Lengths around the chunks of the payload.
const LENGTHS: [usize; 6] = [0, 1, 65_535, 65_536, 65_537, 200_000];

fn keys(folder: &std::path::Path) -> (String, Recipient, Identity) {
    let file = folder.join("key.txt").display().to_string();
    let made = Command::new("age-keygen").args(["-o", &file]).output();
    let made = made
        .expect("age-keygen of Debian's package age: `apt-get install age`, or `cargo xtask test`");
    assert!(made.status.success(), "{made:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    let public = text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    let identities: Vec<Identity> = backup::age::lines(&text).unwrap();
    let [identity] = identities.try_into().unwrap();
    (file, public.parse().unwrap(), identity)
}

/// Has age do something with these bytes.
fn age(arguments: &[&str], input: &[u8]) -> Vec<u8> {
    let mut age = Command::new("age")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("age");
    let mut stdin = age.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        let mut bytes = Vec::new();
        age.stdout.take().unwrap().read_to_end(&mut bytes).unwrap();
        assert!(age.wait().unwrap().success());
        bytes
    })
}

#[test]
fn age_opens_what_we_encrypt_and_we_what_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let (file, recipient, identity) = keys(folder.path());
    let other = tempfile::tempdir().unwrap();
    let (_, other_recipient, other_identity) = keys(other.path());
    let public = std::fs::read_to_string(&file).unwrap();
    let public = public.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    for n in LENGTHS {
        let plain: Vec<u8> = (0..n).map(|n| u8::try_from(n % 251).unwrap()).collect();
        // To two, of whom ours is the second.
        let recipients = [other_recipient.clone(), recipient.clone()];
        let mut ours = Encryptor::begin(Vec::new(), &recipients).unwrap();
        ours.write_all(&plain).unwrap();
        let ours = ours.finish().unwrap();
        assert_eq!(age(&["--decrypt", "--identity", &file], &ours), plain, "{n}");

        let theirs = age(&["--encrypt", "--recipient", public], &plain);
        let mut opened = Vec::new();
        let input = BufReader::new(&*theirs);
        let mut decryptor = Decryptor::open(input, std::slice::from_ref(&identity)).unwrap();
        decryptor.read_to_end(&mut opened).unwrap();
        assert_eq!(opened, plain, "{n}");
        let input = BufReader::new(&*theirs);
        assert!(Decryptor::open(input, std::slice::from_ref(&other_identity)).is_err());
    }
}
