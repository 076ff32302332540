//! The archive in which a kernel takes its first files. [Linux initramfs buffer format, "newc"]

/// What lies at a path.
enum Node<'a> {
    Folder,
    File { mode: u32, content: &'a [u8] },
    Link { to: &'a str },
}

const FOLDER: u32 = 0o040_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

/// An archive that grows. Owners are root, times are 1970: the same files give the same bytes.
#[derive(Default)]
pub(super) struct Archive {
    bytes: Vec<u8>,
    n_nodes: usize,
}

impl Archive {
    /// Adds a folder; the one that it is in comes first.
    pub(super) fn folder(&mut self, path: &str) {
        self.add(path, &Node::Folder);
    }

    /// Adds a file with these permissions.
    pub(super) fn file(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.add(path, &Node::File { mode, content });
    }

    /// Adds a symbolic link.
    pub(super) fn link(&mut self, path: &str, to: &str) {
        self.add(path, &Node::Link { to });
    }

    /// The whole archive.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.add("TRAILER!!!", &Node::File { mode: 0, content: &[] });
        self.bytes
    }

    fn add(&mut self, path: &str, node: &Node<'_>) {
        self.n_nodes += 1;
        let (mode, content): (_, &[u8]) = match node {
            Node::Folder => (FOLDER | 0o755, &[]),
            Node::File { mode, content } => (FILE | mode, content),
            Node::Link { to } => (LINK | 0o777, to.as_bytes()),
        };
        // Inode, mode, user, group, links, time, size, device, device of the node, length of the
        // name with its NUL, checksum.
        let fields = [self.n_nodes, 0, 0, 0, 1, 0, content.len(), 0, 0, 0, 0, path.len() + 1, 0];
        self.bytes.extend(b"070701");
        for (n, field) in fields.into_iter().enumerate() {
            let text = if n == 1 { format!("{mode:08X}") } else { format!("{field:08X}") };
            self.bytes.extend(text.as_bytes());
        }
        self.bytes.extend(path.as_bytes());
        self.bytes.push(0);
        self.align();
        self.bytes.extend(content);
        self.align();
    }

    fn align(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    use super::*;

    #[test]
    fn busybox_lists_what_was_put_in() {
        let mut archive = Archive::default();
        archive.folder("etc");
        archive.file("etc/odd", 0o640, b"five!");
        archive.link("etc/link", "odd");
        let mut list = Command::new("busybox")
            .args(["cpio", "-tv"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("busybox: `apt-get install busybox-static`");
        list.stdin.take().unwrap().write_all(&archive.finish()).unwrap();
        let listed = String::from_utf8(list.wait_with_output().unwrap().stdout).unwrap();
        let lines: Vec<_> = listed.lines().collect();
        assert!(lines[0].starts_with("drwxr-xr-x") && lines[0].ends_with(" etc"), "{listed}");
        assert!(lines[1].starts_with("-rw-r-----") && lines[1].contains(" 5 "), "{listed}");
        assert!(lines[2].starts_with("lrwxrwxrwx") && lines[2].contains("etc/link"), "{listed}");
    }
}
