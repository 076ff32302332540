//! What an application seems to be.

use efi::DevicePath;

use crate::image::ImageSource;

/// Units of a path that are looked at: real ones are below 100.
const PATH_UNITS_MAX: usize = 1024;

/// What an application seems to be, by the name of its file and by what was measured while it ran.
/// Neither is covered by a digest of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It is in a firmware volume: set-up, diagnostics, an agent of the maker.
    Firmware,
    /// shim.
    Shim,
    /// GRUB.
    Grub,
    /// systemd-boot.
    SystemdBoot,
    /// A unified kernel image: it measured its own sections.
    UnifiedKernelImage,
    /// A kernel of Linux.
    Kernel,
    /// Windows' boot manager.
    WindowsBootManager,
    /// Windows' loader, or what wakes it.
    WindowsLoader,
    /// The boot loader of ESXi.
    EsxiLoader,
    /// iPXE.
    Ipxe,
}

impl Role {
    /// The words in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firmware => "firmware application",
            Self::Shim => "shim",
            Self::Grub => "GRUB",
            Self::SystemdBoot => "systemd-boot",
            Self::UnifiedKernelImage => "unified kernel image",
            Self::Kernel => "kernel",
            Self::WindowsBootManager => "Windows boot manager",
            Self::WindowsLoader => "Windows loader",
            Self::EsxiLoader => "ESXi boot loader",
            Self::Ipxe => "iPXE",
        }
    }
}

/// What was measured, in the order of the log, between an application and the next.
#[derive(Clone, Copy, Default)]
pub(super) struct Signs {
    pub(super) shim: bool,
    pub(super) grub: bool,
    pub(super) sections: bool,
    pub(super) linux: bool,
}

/// An application as far as its role is concerned.
#[derive(Clone, Copy)]
pub(super) struct Application<'a> {
    pub(super) step: usize,
    pub(super) attempt: Option<u32>,
    pub(super) path: Option<DevicePath<'a>>,
    pub(super) source: ImageSource,
    pub(super) signs: Signs,
}

/// Words in names of files, for what is known by its name. The more special come first.
const NAMES: [(&str, Role); 15] = [
    ("shim", Role::Shim),
    ("grub", Role::Grub),
    ("systemd-boot", Role::SystemdBoot),
    ("bootmgfw", Role::WindowsBootManager),
    ("bootmgr", Role::WindowsBootManager),
    ("winload", Role::WindowsLoader),
    ("winresume", Role::WindowsLoader),
    ("mboot", Role::EsxiLoader),
    ("safeboot", Role::EsxiLoader),
    ("ipxe", Role::Ipxe),
    ("snponly", Role::Ipxe),
    ("vmlinu", Role::Kernel),
    ("bzimage", Role::Kernel),
    ("kernel", Role::Kernel),
    ("linux-", Role::Kernel),
];

/// What each of `applications` seems to be, in their order.
pub(super) fn roles(applications: &[Application<'_>]) -> Vec<Option<Role>> {
    let mut roles: Vec<Option<Role>> = Vec::with_capacity(applications.len());
    for (n, application) in applications.iter().enumerate() {
        let earlier = applications.iter().zip(&roles);
        let of_attempt = earlier.filter(|(other, _)| other.attempt == application.attempt);
        let is_there = |role| of_attempt.clone().any(|(_, other)| *other == Some(role));
        let name = application.path.and_then(name_of);
        let next = applications.get(n.saturating_add(1));
        let next = next.filter(|next| next.attempt == application.attempt);
        roles.push(role(application, name.as_deref(), is_there, next));
    }
    roles
}

fn role(
    application: &Application<'_>,
    name: Option<&str>,
    is_there: impl Fn(Role) -> bool,
    next: Option<&Application<'_>>,
) -> Option<Role> {
    let Signs { shim, grub, sections, linux } = application.signs;
    if application.source == ImageSource::Firmware {
        return Some(Role::Firmware);
    }
    if sections {
        return Some(Role::UnifiedKernelImage);
    }
    let file = name.map(|name| name.rsplit(['\\', '/']).next().unwrap_or(name));
    let by_name = file.and_then(|file| NAMES.iter().find(|(word, _)| file.contains(word)));
    if let Some((_, role)) = by_name {
        return Some(*role);
    }
    // A loader hands a kernel over from memory, without a file's path.
    let loaders = [Role::Shim, Role::Grub, Role::SystemdBoot, Role::UnifiedKernelImage];
    if file.is_none() && loaders.into_iter().any(&is_there) {
        return Some(Role::Kernel);
    }
    if shim && !is_there(Role::Shim) {
        return Some(Role::Shim);
    }
    if grub && !is_there(Role::Grub) {
        return Some(Role::Grub);
    }
    let is_type_2 = |next: &Application<'_>| {
        next.path.and_then(name_of).is_some_and(|name| name.contains("\\efi\\linux\\"))
    };
    if next.is_some_and(is_type_2) {
        return Some(Role::SystemdBoot);
    }
    linux.then_some(Role::Kernel)
}

/// The file of a path, in lower case.
fn name_of(path: DevicePath<'_>) -> Option<String> {
    let units = path.file_path()?.units().take(PATH_UNITS_MAX);
    let chars = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(chars.map(|c| c.to_ascii_lowercase()).collect())
}
