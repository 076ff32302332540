//! From a stream to the texts that are in it.

use std::io::{self, BufReader, Cursor, Read};

use crate::{
    Limits, UnpackError,
    blocks::{BLOCK_BYTES, Blocks},
    gzip::Gzip,
    journal::JournalExport,
    kind::{HEAD_BYTES, Kind},
    limits::{LAYERS_MAX, Spent},
    tar,
    utf16::Utf16,
    zip,
};

/// Where in a file something is.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The members of archives that lead to it, the outermost first; none for the file itself.
    /// Untrusted: only to be shown.
    pub names: &'a [String],
    /// When it was written, in seconds since 1970, as far as an archive says so.
    pub modified_s: Option<i64>,
}

/// Takes the texts of a file.
pub trait Visitor {
    /// A text, as a stream.
    ///
    /// # Errors
    /// Those of reading it: what comes behind it is read all the same.
    fn text(&mut self, member: Member<'_>, stream: &mut dyn Read) -> io::Result<()>;

    /// Something in an archive was not read, or not to its end.
    fn unread(&mut self, member: Member<'_>, why: UnpackError);
}

/// Gives all texts of `stream` to `visitor`.
///
/// # Errors
/// The stream itself was not read, or not to its end.
pub fn walk(
    stream: &mut dyn Read,
    limits: Limits,
    visitor: &mut dyn Visitor,
) -> Result<(), UnpackError> {
    let spent = Spent::new(limits);
    let mut walk = Walk { spent: spent.clone(), visitor, names: Vec::new() };
    walk.stream(&mut spent.outside(stream), None, 0)
}

/// Gives the error that a stream ended in, once.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Reads what is left of a layer: an archive ends before the stream that it is packed in, whose
/// checksum stands at its end, and damage behind an archive is damage.
fn to_its_end(layer: &mut dyn Read) -> Result<(), UnpackError> {
    io::copy(layer, &mut io::sink())?;
    Ok(())
}

struct Walk<'a> {
    spent: Spent,
    visitor: &'a mut dyn Visitor,
    names: Vec<String>,
}

impl Walk<'_> {
    fn stream(
        &mut self,
        stream: &mut dyn Read,
        modified_s: Option<i64>,
        layer: usize,
    ) -> Result<(), UnpackError> {
        let mut head = Vec::new();
        // What came before an error counts, also where it is less than a head.
        let failed = (&mut *stream).take(HEAD_BYTES as u64).read_to_end(&mut head).err();
        let kind = Kind::of(&head);
        if kind.is_packed() && layer == LAYERS_MAX {
            return Err(UnpackError::Layers);
        }
        let mut whole = Cursor::new(head).chain(Failed(failed)).chain(stream);
        let member = Member { names: &self.names, modified_s };
        match kind {
            Kind::Gzip => {
                let mut unpacked = self.spent.unpacked(Gzip::new(Blocks::new(whole)));
                self.stream(&mut unpacked, modified_s, layer + 1)
            }
            Kind::Tar => self.tar(&mut whole, modified_s, layer + 1),
            Kind::Zip => self.zip(whole, modified_s, layer + 1),
            Kind::NotOpened(err) => Err(err),
            Kind::Utf16(endian) => Ok(self.visitor.text(member, &mut Utf16::new(whole, endian))?),
            Kind::JournalExport => {
                let entries = BufReader::with_capacity(BLOCK_BYTES, whole);
                Ok(self.visitor.text(member, &mut JournalExport::new(entries))?)
            }
            Kind::Text(n_mark) => {
                io::copy(&mut (&mut whole).take(n_mark as u64), &mut io::sink())?;
                Ok(self.visitor.text(member, &mut whole)?)
            }
        }
    }

    fn tar(
        &mut self,
        archive: &mut dyn Read,
        modified_s: Option<i64>,
        layer: usize,
    ) -> Result<(), UnpackError> {
        while let Some(member) = tar::next(archive)? {
            self.spent.member()?;
            let mut contents = (&mut *archive).take(member.size);
            let modified_s = Some(member.modified_s).filter(|time| *time != 0).or(modified_s);
            self.names.push(member.name);
            let came = match member.contents {
                tar::Contents::File => self.stream(&mut contents, modified_s, layer),
                tar::Contents::Sparse => Err(UnpackError::NotOpened {
                    by: "a sparse file of GNU tar",
                    with: "tar -xOf ARCHIVE FILE",
                }),
                tar::Contents::Nothing => Ok(()),
            };
            self.note(came, modified_s);
            // One that is damaged says nothing of those behind it, but what is over is over.
            self.spent.check()?;
            let unread = contents.limit();
            tar::skip(archive, member.size, unread)?;
        }
        to_its_end(archive)
    }

    fn zip(
        &mut self,
        archive: impl Read,
        modified_s: Option<i64>,
        layer: usize,
    ) -> Result<(), UnpackError> {
        let mut archive = Blocks::new(archive);
        while let Some(header) = zip::next(&mut archive)? {
            self.spent.member()?;
            let modified_s = Some(header.modified_s).filter(|time| *time != 0).or(modified_s);
            self.names.push(header.name.clone());
            let came = zip::member(&mut archive, &header, |contents| {
                let mut unpacked = self.spent.unpacked(contents);
                let came = match header.is_file() {
                    true => self.stream(&mut unpacked, modified_s, layer),
                    false => Ok(()),
                };
                let rest = to_its_end(&mut unpacked);
                came.and(rest)
            });
            match came {
                Ok(came) => self.note(came, modified_s),
                Err(err) => {
                    self.note(Err(err), modified_s);
                    self.spent.check()?;
                    return Err(UnpackError::Damaged(
                        "what stands behind a member cannot be found",
                    ));
                }
            }
            self.spent.check()?;
        }
        to_its_end(&mut archive)
    }

    /// Leaves the member, and tells what is wrong with it.
    fn note(&mut self, came: Result<(), UnpackError>, modified_s: Option<i64>) {
        if let Err(why) = came {
            self.visitor.unread(Member { names: &self.names, modified_s }, why);
        }
        self.names.pop();
    }
}
