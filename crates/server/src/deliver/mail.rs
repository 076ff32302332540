//! Mail over SMTP with TLS, from the first byte or by STARTTLS. Without TLS nothing is said.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lettre::{
    Message,
    address::Address,
    message::{Attachment as Part, Mailbox, MultiPart, SinglePart, header::ContentType},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use zeroize::Zeroizing;

use super::{Steps, Target, Undelivered, later, text};

/// Bytes of one line of an answer: the standard has 512. [RFC5321 §4.5.3.1.5]
const LINE_BYTES_MAX: usize = 2_048;

/// Lines of one answer: an `EHLO` has below twenty.
const LINES_MAX: usize = 100;

/// How TLS begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// With the connection. [RFC8314 §3.3]
    Tls,
    /// After a word; a server that does not know the word is sent nothing. [RFC3207]
    StartTls,
}

/// A relay, and whom it is told to.
pub(crate) struct Mailer {
    pub(crate) target: Target,
    pub(crate) security: Security,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Name and password, where it wants them.
    pub(crate) login: Option<(String, Zeroizing<String>)>,
    /// The name of this machine.
    pub(crate) hello: String,
}

/// One mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    /// The same for the same mail that comes twice.
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) body: String,
    /// Files that come with it.
    pub(crate) attachments: Vec<Attachment>,
}

/// A file that comes with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) name: String,
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
}

impl Mailer {
    pub(crate) async fn send(&self, mails: &[Mail], steps: &mut Steps) -> Result<(), Undelivered> {
        let mut written = Vec::with_capacity(mails.len());
        for mail in mails {
            written.push(self.write(mail)?);
        }
        let tcp = self.target.tcp(steps).await?;
        let stream = match self.security {
            Security::Tls => self.target.tls(tcp, steps).await?,
            Security::StartTls => {
                let started = start_tls(tcp, &self.hello).await;
                let tcp = steps.of("STARTTLS", started, |_| "offered".to_owned())?;
                self.target.tls(tcp, steps).await?
            }
        };
        let mut talk = Talk { stream, read: Vec::new() };
        let taken = self.talk(&mut talk, &written).await;
        steps.of("answered", taken, |()| "taken".to_owned())
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        talk: &mut Talk<S>,
        mails: &[Vec<u8>],
    ) -> Result<(), Undelivered> {
        // After STARTTLS the server does not greet again.
        if self.security == Security::Tls {
            talk.expect(2).await?;
        }
        talk.say(&format!("EHLO {}", hello(&self.hello)), 2).await?;
        if let Some((name, password)) = &self.login {
            let plain = Zeroizing::new(format!("\0{name}\0{}", password.as_str()));
            let word = Zeroizing::new(format!("AUTH PLAIN {}", STANDARD.encode(plain.as_bytes())));
            talk.say(&word, 2).await?;
        }
        for mail in mails {
            talk.say(&format!("MAIL FROM:<{}>", self.from), 2).await?;
            for to in &self.to {
                talk.say(&format!("RCPT TO:<{to}>"), 2).await?;
            }
            talk.say("DATA", 3).await?;
            talk.write(&dotted(mail)).await?;
            talk.say(".", 2).await?;
        }
        // It has them: what it says to this changes nothing.
        let _ = talk.say("QUIT", 2).await;
        Ok(())
    }

    /// The message with its headers. What is a host's word is encoded by who knows how; addresses were
    /// parsed.
    fn write(&self, mail: &Mail) -> Result<Vec<u8>, Undelivered> {
        let refused = |err: &dyn std::fmt::Display| {
            Undelivered::Refused(format!("the mail cannot be written: {err}"))
        };
        let mailbox = |address: &str| -> Result<Mailbox, Undelivered> {
            let address: Address = address.parse().map_err(|err| refused(&err))?;
            Ok(Mailbox::new(None, address))
        };
        // Not of this server's name: where two servers tell the same, it is the same mail.
        let domain = self.from.rsplit_once('@').map_or("", |(_, domain)| domain);
        let mut builder = Message::builder()
            .from(mailbox(&self.from)?)
            .subject(text::line(&mail.subject))
            .message_id(Some(format!("<{}@{}>", mail.id, hello(domain))));
        for to in &self.to {
            builder = builder.to(mailbox(to)?);
        }
        if mail.attachments.is_empty() {
            let builder = builder.header(ContentType::TEXT_PLAIN);
            let message = builder.body(mail.body.clone()).map_err(|err| refused(&err))?;
            return Ok(message.formatted());
        }
        let mut parts = MultiPart::mixed().singlepart(SinglePart::plain(mail.body.clone()));
        for attached in &mail.attachments {
            let media_type =
                ContentType::parse(attached.media_type).map_err(|err| refused(&err))?;
            let part =
                Part::new(text::line(&attached.name)).body(attached.bytes.clone(), media_type);
            parts = parts.singlepart(part);
        }
        let message = builder.multipart(parts).map_err(|err| refused(&err))?;
        Ok(message.formatted())
    }
}

/// Whether `address` is one that mail can be sent to.
pub(crate) fn is_address(address: &str) -> bool {
    // Not each form that the standard allows: none that could end a line or a bracket.
    let is_plain = |c: u8| c.is_ascii_graphic() && !b"<>\"\\(),:;[]".contains(&c);
    address.bytes().all(is_plain) && address.parse::<Address>().is_ok()
}

/// A name for `EHLO` and identifiers.
fn hello(name: &str) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let plain: String = name.chars().filter(is_plain).take(255).collect();
    if plain.is_empty() { "localhost".to_owned() } else { plain }
}

/// What is said before TLS: nothing of ours.
async fn start_tls(tcp: TcpStream, name: &str) -> Result<TcpStream, Undelivered> {
    let mut talk = Talk { stream: tcp, read: Vec::new() };
    talk.expect(2).await?;
    let offered = talk.say(&format!("EHLO {}", hello(name)), 2).await?;
    let knows = offered
        .lines()
        .any(|line| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS")));
    if !knows {
        return Err(later("the server does not offer STARTTLS, and nothing is sent without TLS"));
    }
    talk.say("STARTTLS", 2).await?;
    // What came before TLS must not be taken for what came in it.
    if !talk.read.is_empty() {
        return Err(later("the server spoke before TLS"));
    }
    Ok(talk.stream)
}

/// A message as it goes out: a line that begins with a dot has one more. [RFC5321 §4.5.2]
fn dotted(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    for line in message.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.first() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// Words there and back.
struct Talk<S> {
    stream: S,
    read: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), Undelivered> {
        let lost = |err| later(format!("the connection broke: {err}"));
        self.stream.write_all(bytes).await.map_err(lost)?;
        self.stream.flush().await.map_err(lost)
    }

    /// Says a line, and wants an answer whose code begins with `digit`.
    async fn say(&mut self, line: &str, digit: u8) -> Result<String, Undelivered> {
        self.write(format!("{line}\r\n").as_bytes()).await?;
        self.expect(digit).await
    }

    async fn expect(&mut self, digit: u8) -> Result<String, Undelivered> {
        let mut answer = String::new();
        for _ in 0..LINES_MAX {
            let line = self.line().await?;
            answer.push_str(&line);
            answer.push('\n');
            if line.as_bytes().get(3) == Some(&b'-') {
                continue;
            }
            let said = text::answer(answer.as_bytes());
            return match line.bytes().next() {
                Some(first) if first == b'0' + digit => Ok(answer),
                // A no for ever, but for who is not let in: a person mends that, and it is sent then.
                Some(b'5') if !line.starts_with("53") => Err(Undelivered::Refused(said)),
                _ => Err(later(said)),
            };
        }
        Err(later("the server's answer does not end"))
    }

    async fn line(&mut self) -> Result<String, Undelivered> {
        loop {
            if let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.read.len() > LINE_BYTES_MAX {
                return Err(later("the server's answer has no line ends"));
            }
            let mut some = [0; 512];
            match self.stream.read(&mut some).await {
                Ok(0) => return Err(later("the server ended the connection")),
                Ok(n) => self.read.extend(some.iter().take(n)),
                Err(err) => return Err(later(format!("the connection broke: {err}"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::Reach;

    fn mailer() -> Mailer {
        Mailer {
            target: Target {
                host: "mail.example".to_owned(),
                port: 465,
                ca_pem: None,
                reach: Reach::NotLinkLocal,
            },
            security: Security::Tls,
            from: "bootproof@example.org".to_owned(),
            to: vec!["ops@example.org".to_owned()],
            login: None,
            hello: "srv\r\n1".to_owned(),
        }
    }

    #[test]
    fn no_word_of_a_host_becomes_a_header() {
        let mail = Mail {
            id: "1-2".to_owned(),
            subject: "web-1\r\nBcc: thief@example.org\r\n\r\nBody \u{e9}".to_owned(),
            body: "line\r\n.\r\nMAIL FROM:<x>".to_owned(),
            attachments: Vec::new(),
        };
        let written = String::from_utf8(mailer().write(&mail).unwrap()).unwrap();
        let (head, _) = written.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(head.contains("<1-2@example.org>"), "the same from each server: {head}");
        let sent = String::from_utf8(dotted(written.as_bytes())).unwrap();
        assert!(!sent.contains("\r\n.\r\n"), "a dot alone would end it");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        assert!(is_address("a@example.org"));
        for wrong in ["", "a", "a@", "a@b\r\nRCPT TO:<x>", "a b@c", "<a@b>", "a@b, c@d"] {
            assert!(!is_address(wrong), "{wrong:?}");
        }
    }
}
