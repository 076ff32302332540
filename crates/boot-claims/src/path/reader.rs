//! From the events of a log to a path.

use efi::{Ascii, DevicePath, Guid, ImageLoadEvent, LoadOption, VariableData};
use event_log::untrusted::{EventData, GrubLine, Ipl, TagValue, Text};
use event_log::{Event, EventType, Format};

use super::attempt::Attempts;
use super::part::{BootEntry, FileUse, MeasuredBy, Part};
use super::role::{Application, Signs, roles};
use super::section::Sections;
use super::{BootPath, DRIVERS_MAX, STEPS_MAX, Step, windows};
use crate::belief::Belief;
use crate::database::Phase;
use crate::image::{ImageKind, ImageSource, kind_of, measured};
use crate::view::View;
use crate::warning::{BootActionKind, boot_action};

/// Boot entries that are looked at: firmware has below a hundred.
const ENTRIES_MAX: usize = 128;

/// Files that commands of GRUB name.
const NAMED_MAX: usize = 64;

pub(super) fn read<'a>(view: &View<'_, '_, 'a>) -> BootPath<'a> {
    let mut reader = Reader {
        view,
        format: view.replayed.log().format(),
        fences: fences(view),
        entries: entries(view),
        named: Vec::new(),
        attempts: Attempts::default(),
        sections: Sections::default(),
        applications: Vec::new(),
        path: BootPath::default(),
        n_drivers: 0,
    };
    for event in view.events() {
        reader.event(event);
    }
    reader.finish()
}

/// The first separator of each PCR 0 to 7, by its digest.
fn fences(view: &View<'_, '_, '_>) -> [Option<u32>; 8] {
    let mut fences = [None; 8];
    for event in view.events() {
        let slot = usize::try_from(event.pcr_index).ok().and_then(|index| fences.get_mut(index));
        if let Some(slot) = slot.filter(|slot| slot.is_none())
            && view.separator_value(event).is_some()
        {
            *slot = Some(event.number);
        }
    }
    fences
}

/// A load option that was measured, and the bytes of its first path up to its end.
struct Entry<'a> {
    shown: BootEntry<'a>,
    path: &'a [u8],
}

/// The load options in PCR 1; some firmware has them in PCR 5.
fn entries<'a>(view: &View<'_, '_, 'a>) -> Vec<Entry<'a>> {
    let is_boot_variable = |event: &&Event<'a>| {
        matches!(event.pcr_index, 1 | 5)
            && matches!(
                event.untrusted_event_type,
                EventType::EFI_VARIABLE_BOOT | EventType::EFI_VARIABLE_BOOT2
            )
    };
    let entries = view.events().filter(is_boot_variable).filter_map(|event| {
        let variable = VariableData::parse(event.untrusted_data).ok()?;
        let option = LoadOption::parse(variable.value).ok()?;
        let path = before_end(option.paths);
        (variable.guid == Guid::GLOBAL_VARIABLE && !path.is_empty()).then_some(Entry {
            shown: BootEntry {
                event: event.number,
                name: variable.name,
                description: option.description,
                belief: view.belief(event),
            },
            path,
        })
    });
    entries.take(ENTRIES_MAX).collect()
}

/// The bytes of a path up to its first End node.
fn before_end(path: DevicePath<'_>) -> &[u8] {
    let nodes = path.nodes().map_while(Result::ok);
    let len = nodes.fold(0usize, |len, node| len.saturating_add(4).saturating_add(node.data.len()));
    path.0.get(..len).unwrap_or_default()
}

struct Reader<'v, 'r, 'l, 'a> {
    view: &'v View<'r, 'l, 'a>,
    format: Format<'l>,
    fences: [Option<u32>; 8],
    entries: Vec<Entry<'a>>,
    named: Vec<(FileUse, &'a [u8])>,
    attempts: Attempts,
    sections: Sections,
    applications: Vec<Application<'a>>,
    path: BootPath<'a>,
    n_drivers: usize,
}

impl<'a> Reader<'_, '_, '_, 'a> {
    fn event(&mut self, event: &Event<'a>) {
        if let Some(kind) = kind_of(event.untrusted_event_type) {
            self.image(event, kind);
        } else if event.pcr_index == 4 {
            self.action(event);
        } else {
            match event.untrusted_event_type {
                EventType::EFI_VARIABLE_AUTHORITY if event.pcr_index == 7 => {
                    let variable = VariableData::parse_prefix(event.untrusted_data);
                    if variable.is_ok_and(|(variable, _)| variable.guid == Guid::SHIM_LOCK) {
                        self.sign(|signs| signs.shim = true);
                    }
                }
                EventType::IPL => self.ipl(event),
                EventType::EVENT_TAG => self.tags(event),
                _ if event.pcr_index == 11 => self.sections.interrupted(),
                _ => {}
            }
        }
    }

    fn sign(&mut self, note: impl FnOnce(&mut Signs)) {
        if let Some(application) = self.applications.last_mut() {
            note(&mut application.signs);
        }
    }

    fn push(&mut self, event: &Event<'a>, part: Part<'a>, belief: Belief) {
        let is_driver = matches!(part, Part::Image { .. }) && !part.is_application();
        let n_others = self.path.steps.len().saturating_sub(self.n_drivers);
        let is_full = match is_driver {
            true => self.n_drivers >= DRIVERS_MAX,
            false => n_others >= STEPS_MAX,
        };
        if is_full {
            self.path.n_more = self.path.n_more.saturating_add(1);
            return;
        }
        self.n_drivers = self.n_drivers.saturating_add(usize::from(is_driver));
        let digest = measured(self.view, event);
        // Commands and empty files are measured again and again; an image twice is worth telling.
        let again = match part {
            Part::Image { .. } => self.path.steps.iter().find(|step| {
                let same = step.pcr_index == event.pcr_index && step.digest == digest;
                same && digest.is_some() && matches!(step.part, Part::Image { .. })
            }),
            _ => None,
        };
        self.path.steps.push(Step {
            event: event.number,
            pcr_index: event.pcr_index,
            part,
            digest,
            belief,
            phase: self.phase(event),
            attempt: self.attempts.number(),
            again: again.map(|step| step.event),
        });
    }

    fn phase(&self, event: &Event<'_>) -> Option<Phase> {
        let fence = *self.fences.get(usize::try_from(event.pcr_index).ok()?)?;
        Some(match event.number < fence? {
            true => Phase::BeforeSeparator,
            false => Phase::AfterSeparator,
        })
    }

    fn image(&mut self, event: &Event<'a>, untrusted_kind: ImageKind) {
        let load = ImageLoadEvent::parse(event.untrusted_data).ok();
        let untrusted_path = load.map(|load| load.untrusted_device_path);
        let untrusted_source = ImageSource::of(untrusted_path);
        let is_application = untrusted_kind == ImageKind::Application;
        let is_boot = is_application && self.phase(event) != Some(Phase::BeforeSeparator);
        let before = self.attempts.number();
        if is_boot {
            self.attempts.application();
        }
        let attempt = if is_boot { self.attempts.number() } else { None };
        let last = self.applications.last();
        let is_loader = |last: &&Application<'a>| {
            is_boot && last.attempt == attempt && last.source != ImageSource::Firmware
        };
        let untrusted_loader = last
            .filter(is_loader)
            .and_then(|last| self.path.steps.get(last.step).map(|step| step.event));
        // Loaders name what they load by itself; only the firmware goes by its entries.
        let is_first = !is_boot || before != attempt || untrusted_loader.is_none();
        let untrusted_entry =
            untrusted_path.filter(|_| is_first).and_then(|path| self.entry_of(path));
        let step = self.path.steps.len();
        let part = Part::Image {
            untrusted_kind,
            untrusted_path,
            untrusted_source,
            untrusted_role: None,
            untrusted_loader,
            untrusted_entry,
        };
        let belief = self.view.belief(event);
        self.push(event, part, belief);
        if is_application && self.path.steps.len() > step {
            if !is_boot && let Some(told) = self.path.steps.get_mut(step) {
                told.attempt = None;
            }
            let signs = Signs::default();
            let (path, source) = (untrusted_path, untrusted_source);
            self.applications.push(Application { step, attempt, path, source, signs });
        }
    }

    /// The entry whose path ends the path of an image (entries have short forms), or begins it (of a
    /// removable medium an entry names the device alone).
    fn entry_of(&self, path: DevicePath<'a>) -> Option<BootEntry<'a>> {
        let path = before_end(path);
        let ends = self.entries.iter().find(|entry| path.ends_with(entry.path));
        let begins = || self.entries.iter().find(|entry| path.starts_with(entry.path));
        ends.or_else(begins).map(|entry| entry.shown)
    }

    fn action(&mut self, event: &Event<'a>) {
        let Some(kind) = boot_action(event.untrusted_data) else { return };
        let belief = self.view.belief(event);
        if belief != Belief::Contradicted {
            match kind {
                BootActionKind::Called => self.attempts.called(event.number),
                BootActionKind::Returned => self.attempts.returned(event.number),
                BootActionKind::Omitted => {}
            }
        }
        self.push(event, Part::Action(kind), belief);
    }

    fn ipl(&mut self, event: &Event<'a>) {
        let ipl = Ipl::read(event.pcr_index, event.untrusted_data);
        if !matches!(ipl, Ipl::UkiSection { .. }) && event.pcr_index == 11 {
            self.sections.interrupted();
        }
        let belief = self.view.belief(event);
        // Each loader has a PCR of its own; the same text elsewhere may be anybody's.
        match ipl {
            Ipl::Grub { line, text, .. } if event.pcr_index == 8 => {
                self.sign(|signs| signs.grub = true);
                let untrusted_by = match line {
                    GrubLine::Command => return self.command(text, belief),
                    GrubLine::KernelCommandLine => MeasuredBy::Grub,
                    GrubLine::ModuleCommandLine => MeasuredBy::GrubModule,
                };
                let text = Text::Ascii(text);
                self.push(event, Part::CommandLine { untrusted_by, text }, belief);
            }
            Ipl::GrubFile(untrusted_name) if event.pcr_index == 9 => {
                self.sign(|signs| signs.grub = true);
                let untrusted_use = self.use_of(untrusted_name);
                self.push(event, Part::File { untrusted_name, untrusted_use }, belief);
            }
            Ipl::ShimVariable { .. } if event.pcr_index == 14 => {
                self.sign(|signs| signs.shim = true)
            }
            Ipl::UkiSection { section, .. } if event.pcr_index == 11 => {
                self.sign(|signs| signs.sections = true);
                if let Some((name_event, belief)) = self.sections.content(self.view, event, section)
                {
                    self.push(event, Part::Section { section, name_event }, belief);
                }
            }
            Ipl::KernelCommandLine(text) => {
                let (untrusted_by, text) = (MeasuredBy::Systemd, Text::Ucs2(text));
                self.push(event, Part::CommandLine { untrusted_by, text }, belief);
            }
            Ipl::StubExtra(untrusted_name) => {
                self.push(event, Part::Extra { untrusted_name }, belief);
            }
            Ipl::Grub { .. }
            | Ipl::GrubFile(_)
            | Ipl::ShimVariable { .. }
            | Ipl::UkiSection { .. }
            | Ipl::Other(_) => {}
        }
    }

    /// Keeps the names of kernels and initrds: `linux /vmlinuz root=…`, `initrd /initrd.img`.
    fn command(&mut self, text: Ascii<'a>, belief: Belief) {
        if belief != Belief::Verified {
            return;
        }
        let text = text.0.strip_suffix(&[0]).unwrap_or(text.0);
        let mut words = text.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let Some(command) = words.next() else { return };
        let (used, n) = match command {
            b"linux" | b"linuxefi" | b"linux16" => (FileUse::Kernel, 1),
            b"initrd" | b"initrdefi" | b"initrd16" => (FileUse::Initrd, NAMED_MAX),
            _ => return,
        };
        let room = NAMED_MAX.saturating_sub(self.named.len());
        self.named.extend(words.take(n.min(room)).map(|word| (used, word)));
    }

    /// GRUB logs a file with or without its device, and commands name it either way.
    fn use_of(&self, name: Ascii<'a>) -> FileUse {
        let name = name.0.strip_suffix(&[0]).unwrap_or(name.0);
        let named =
            self.named.iter().find(|(_, word)| name.ends_with(word) || word.ends_with(name));
        named.filter(|_| !name.is_empty()).map_or(FileUse::Other, |(used, _)| *used)
    }

    fn tags(&mut self, event: &Event<'a>) {
        if event.pcr_index == 11 {
            self.sections.interrupted();
        }
        let EventData::Tagged(tags) = EventData::read(event, self.format) else { return };
        let belief = self.view.belief(event);
        for tag in tags.iter() {
            let part = match tag.value() {
                TagValue::EsxiFile(untrusted_name) => {
                    Part::File { untrusted_name, untrusted_use: FileUse::Other }
                }
                TagValue::EsxiCommandLine(text) => {
                    let (untrusted_by, text) = (MeasuredBy::Esxi, Text::Ascii(text));
                    Part::CommandLine { untrusted_by, text }
                }
                TagValue::Text(_) | TagValue::Bytes(_) => match tag.name() {
                    Some(untrusted_name) => Part::Tagged { untrusted_name },
                    None => continue,
                },
                _ => continue,
            };
            if matches!(part, Part::Tagged { .. }) {
                self.sign(|signs| signs.linux = true);
            }
            self.push(event, part, belief);
        }
    }

    fn finish(mut self) -> BootPath<'a> {
        for (application, role) in self.applications.iter().zip(roles(&self.applications)) {
            let step = self.path.steps.get_mut(application.step);
            if let Some(Part::Image { untrusted_role, .. }) = step.map(|step| &mut step.part) {
                *untrusted_role = role;
            }
        }
        self.path.attempts = self.attempts.finish();
        self.path.windows = windows::read(self.view);
        self.path
    }
}
