//! The path of a boot: what is told of it, in which order, and how far it is believed.

use crate::common::path_of;
use boot_claims::{
    ATTEMPTS_MAX, Belief, BootPath, DRIVERS_MAX, Doubt, ImageSource, MeasuredBy, Outcome, Part,
    Phase, Role, STEPS_MAX, Step, WindowsBoot,
};
use efi::Guid;
use event_log::{EventType, hash, untrusted::UkiSection};
use testkit::log::{BootLog, Device, Entry, image_load, load_option, ucs2, variable};
use tpm_wire::TpmAlgId;

const APPLICATION: EventType = EventType::EFI_BOOT_SERVICES_APPLICATION;

fn path<T>(entries: &[Entry], read: impl FnOnce(&BootPath<'_>) -> T) -> T {
    path_of(&BootLog::sound().build_from(entries), read)
}

fn application(device: Device<'_>, content: &str) -> Entry {
    Entry::of(4, APPLICATION, content.as_bytes(), &image_load(device, 4096))
}

fn action(text: &str) -> Entry {
    Entry::of_data(4, EventType::EFI_ACTION, text.as_bytes())
}

fn called() -> Entry {
    action("Calling EFI Application from Boot Option")
}

fn returned() -> Entry {
    action("Returning from EFI Application from Boot Option")
}

/// The firmware's part of the sound boot: what comes before its first boot application.
fn firmware() -> Vec<Entry> {
    let entries = BootLog::sound().entries();
    let first = entries.iter().position(|entry| entry.event_type == APPLICATION).unwrap();
    entries[..first].to_vec()
}

fn with(more: &[Entry]) -> Vec<Entry> {
    [firmware(), more.to_vec()].concat()
}

/// Section `name` of an image as systemd-stub measures it: its name, then its content.
fn section(name: &str, content: &str) -> [Entry; 2] {
    let logged = [ucs2(name), vec![0, 0]].concat();
    let measured = format!("{name}\0");
    [measured.as_str(), content].map(|text| Entry::of(11, EventType::IPL, text.as_bytes(), &logged))
}

fn applications<'p, 'a>(path: &'p BootPath<'a>) -> Vec<&'p Step<'a>> {
    path.steps.iter().filter(|step| step.part.is_application()).collect()
}

fn role(step: &Step<'_>) -> Option<Role> {
    let Part::Image { untrusted_role, .. } = step.part else { panic!("{step:?}") };
    untrusted_role
}

fn loader(step: &Step<'_>) -> Option<u32> {
    let Part::Image { untrusted_loader, .. } = step.part else { panic!("{step:?}") };
    untrusted_loader
}

fn source(step: &Step<'_>) -> ImageSource {
    let Part::Image { untrusted_source, .. } = step.part else { panic!("{step:?}") };
    untrusted_source
}

fn entry(step: &Step<'_>) -> Option<String> {
    let Part::Image { untrusted_entry, .. } = step.part else { panic!("{step:?}") };
    untrusted_entry.map(|entry| format!("{} {}", entry.name, entry.description))
}

fn outcomes(path: &BootPath<'_>) -> Vec<Outcome> {
    path.attempts.iter().map(|attempt| attempt.outcome()).collect()
}

#[test]
fn loader_kernel_initrd_and_command_line_are_told_in_order() {
    path_of(&BootLog::sound().option_rom().build(), |path| {
        let steps: Vec<String> = path
            .steps
            .iter()
            .map(|step| match step.part {
                Part::Image { untrusted_role, untrusted_kind, .. } => {
                    format!("{untrusted_kind:?} {untrusted_role:?}")
                }
                Part::Action(kind) => format!("{kind:?}"),
                Part::File { untrusted_name, untrusted_use } => {
                    format!("{untrusted_use:?} {untrusted_name}")
                }
                Part::CommandLine { untrusted_by, text } => format!("{untrusted_by:?} {text}"),
                Part::Tagged { untrusted_name } => untrusted_name.to_owned(),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected = [
            "BootDriver None",
            "Called",
            "Application Some(Shim)",
            "Application Some(Grub)",
            "Other (hd0,gpt1)/EFI/debian/grub.cfg",
            "Other (hd0,gpt2)/grub/grub.cfg",
            "Kernel /vmlinuz-6.1.0-56-amd64",
            "Application Some(Kernel)",
            "Grub /vmlinuz-6.1.0-56-amd64 root=/dev/mapper/vg-root ro quiet",
            "Initrd /initrd.img-6.1.0-56-amd64",
            "Linux load options",
            "Linux initrd",
        ];
        assert_eq!(steps, expected);

        let [shim, grub, kernel] = applications(path)[..] else { panic!() };
        assert_eq!((loader(shim), loader(grub)), (None, Some(shim.event)));
        assert_eq!(loader(kernel), Some(grub.event));
        assert_eq!(entry(shim), Some("Boot0000 debian".to_owned()));
        assert_eq!((entry(grub), entry(kernel)), (None, None));
        assert_eq!((source(shim), source(kernel)), (ImageSource::File, ImageSource::Memory));
        let measured = hash(TpmAlgId::SHA256, &[b"shim 16.1"]).unwrap();
        assert_eq!(shim.digest, Some((TpmAlgId::SHA256, measured)));
        // What an image is called no digest covers; what the command line says one does.
        assert_eq!(shim.belief, Belief::Unverifiable(Doubt::DataNotMeasured));
        assert_eq!(path.steps[8].belief, Belief::Verified);
        assert_eq!(path.steps[9].belief, Belief::Unverifiable(Doubt::DataNotMeasured));

        let driver = &path.steps[0];
        assert_eq!((driver.pcr_index, driver.phase), (2, Some(Phase::BeforeSeparator)));
        assert_eq!((driver.attempt, shim.attempt), (None, Some(1)));
        assert_eq!(shim.phase, Some(Phase::AfterSeparator));
        assert_eq!(outcomes(path), [Outcome::TookOver]);
        assert_eq!((path.attempts[0].called.is_some(), path.n_more), (true, 0));
        assert_eq!(path.windows, None);
    });
}

#[test]
fn a_path_of_pcrs_that_do_not_replay_has_no_digest() {
    let built = BootLog::sound().build();
    let other = BootLog::sound().firmware("9").kernel("9").build();
    let read = crate::common::path_with(&built.bytes, &other.pcrs, |path| {
        let [shim, .., kernel] = applications(path)[..] else { panic!() };
        let doubt = Belief::Unverifiable(Doubt::NotReplayed);
        assert_eq!((shim.digest, shim.belief), (None, doubt));
        assert_eq!(kernel.digest, None);
        let line = |step: &&Step<'_>| matches!(step.part, Part::CommandLine { .. });
        assert_eq!(path.steps.iter().find(line).unwrap().belief, doubt);
        path.steps.len()
    });
    assert!(read > 8);
}

#[test]
fn sections_of_a_unified_kernel_image_come_in_pairs() {
    let image = application(Device::Disk("\\EFI\\Linux\\a.efi"), "a UKI");
    let menu = application(Device::Disk("\\EFI\\BOOT\\BOOTX64.EFI"), "a menu");
    let line = [ucs2("root=/dev/sda1 quiet"), vec![0, 0]].concat();
    let line = Entry::of_data(12, EventType::IPL, &line);
    let sections = [section(".linux", "a kernel"), section(".initrd", "an initrd")].concat();
    let inner = application(Device::Unnamed, "a kernel as a file");
    let boot = [vec![menu, line, image], sections, vec![inner]].concat();
    path(&with(&boot), |path| {
        let [menu, image, inner] = applications(path)[..] else { panic!() };
        assert_eq!(role(menu), Some(Role::SystemdBoot));
        assert_eq!(
            (role(image), loader(image)),
            (Some(Role::UnifiedKernelImage), Some(menu.event))
        );
        assert_eq!((role(inner), loader(inner)), (Some(Role::Kernel), Some(image.event)));
        let told: Vec<_> = path
            .steps
            .iter()
            .filter_map(|step| match step.part {
                Part::Section { section, name_event } => {
                    Some((section, name_event, step.event, step.belief, step.digest))
                }
                _ => None,
            })
            .collect();
        let digest = |text: &str| {
            Some((TpmAlgId::SHA256, hash(TpmAlgId::SHA256, &[text.as_bytes()]).unwrap()))
        };
        let first = image.event + 1;
        assert_eq!(
            told,
            [
                (UkiSection::Linux, Some(first), first + 1, Belief::Verified, digest("a kernel")),
                (
                    UkiSection::Initrd,
                    Some(first + 2),
                    first + 3,
                    Belief::Verified,
                    digest("an initrd")
                ),
            ]
        );
        let line = |step: &&Step<'_>| {
            matches!(step.part, Part::CommandLine { untrusted_by: MeasuredBy::Systemd, .. })
        };
        let line = path.steps.iter().find(line).unwrap();
        assert_eq!((line.pcr_index, line.belief), (12, Belief::Verified));
    });
}

#[test]
fn a_section_whose_name_was_not_measured_is_the_hosts_word() {
    let belief = |entries: &[Entry]| {
        path(&with(entries), |path| {
            let of_sections = path.steps.iter().filter_map(|step| match step.part {
                Part::Section { section, .. } => Some((section, step.belief)),
                _ => None,
            });
            of_sections.collect::<Vec<_>>()
        })
    };
    let told = Belief::Unverifiable(Doubt::DataNotMeasured);
    let [name, content] = section(".linux", "a kernel");
    // Old releases measure the content alone.
    assert_eq!(belief(std::slice::from_ref(&content)), [(UkiSection::Linux, told)]);
    // A name of another section, and something in between.
    let [other, _] = section(".initrd", "");
    let renamed = Entry { data: content.data.clone(), ..other.clone() };
    assert_eq!(
        belief(&[renamed, content.clone()]),
        [(UkiSection::Linux, told), (UkiSection::Linux, told)]
    );
    assert_eq!(belief(&[other, content.clone()]), [(UkiSection::Linux, told)]);
    let phase = Entry::of_data(11, EventType::EFI_ACTION, b"enter-initrd");
    assert_eq!(belief(&[name.clone(), phase, content.clone()]), [(UkiSection::Linux, told)]);
    // A name alone says nothing, and each content needs a name of its own.
    assert_eq!(belief(std::slice::from_ref(&name)), []);
    assert_eq!(
        belief(&[name, content.clone(), content]),
        [(UkiSection::Linux, Belief::Verified), (UkiSection::Linux, told)]
    );
}

#[test]
fn attempts_that_came_back_are_told_from_the_one_that_took_over() {
    let network = || application(Device::Pxe, "a network loader");
    let disk = || application(Device::Disk("\\EFI\\debian\\shimx64.efi"), "shim");
    // The sound firmware called the first entry already; nothing of it was measured.
    let boot = [returned(), called(), network(), returned(), called(), disk()];
    path(&with(&boot), |path| {
        let expected = [Outcome::NothingStarted, Outcome::CameBack, Outcome::TookOver];
        assert_eq!(outcomes(path), expected);
        let [network, disk] = applications(path)[..] else { panic!() };
        assert_eq!((network.attempt, disk.attempt), (Some(2), Some(3)));
        assert_eq!((source(network), entry(network)), (ImageSource::Pxe, None));
        assert_eq!(loader(disk), None, "what came back loads nothing");
        assert_eq!(path.application(disk.event).unwrap().event, disk.event);
    });
    // No further attempt: nothing that was measured runs.
    let boot = [network(), returned()];
    path(&with(&boot), |path| assert_eq!(outcomes(path), [Outcome::CameBack]));
    path(&with(&[]), |path| assert_eq!(outcomes(path), [Outcome::NothingMeasured]));
    // The next entry is called, and nobody says that the one before came back.
    path(&with(&[network(), called(), disk()]), |path| {
        assert_eq!(outcomes(path), [Outcome::NotTold, Outcome::TookOver]);
    });
    // A text that was not measured ends no attempt.
    let lie = Entry::of(4, EventType::EFI_ACTION, b"something", &returned().data);
    path(&with(&[network(), lie, disk()]), |path| {
        assert_eq!(outcomes(path), [Outcome::TookOver]);
        assert_eq!(path.attempts[0].n_applications, 2);
    });
}

#[test]
fn a_boot_without_actions_is_told_all_the_same() {
    for text in ["Booting to Debian", "Node id"] {
        let mut entries = BootLog::sound().entries();
        let at = entries.iter().position(|entry| *entry == called()).unwrap();
        entries[at] = action(text);
        path(&entries, |path| {
            assert_eq!(outcomes(path), [Outcome::TookOver]);
            assert_eq!((path.attempts[0].called, path.attempts[0].n_applications), (None, 3));
            let roles: Vec<_> = applications(path).into_iter().map(role).collect();
            assert_eq!(roles, [Role::Shim, Role::Grub, Role::Kernel].map(Some));
        });
    }
    // An entry that says nothing of what it boots.
    path(&with(&[action("BOOT ATTEMPTS OMITTED")]), |path| {
        let omitted = Part::Action(boot_claims::BootActionKind::Omitted);
        assert!(path.steps.iter().any(|step| step.part == omitted));
    });
}

#[test]
fn applications_of_the_firmware_are_not_the_loader() {
    let mut entries = BootLog::sound().entries();
    let agent = application(Device::FirmwareVolume, "an agent of the maker");
    let setup = application(Device::FirmwareVolume, "set-up");
    let tool = Device::Disk("\\EFI\\tool.efi");
    let option = load_option("A tool", tool);
    let data = variable(Guid::GLOBAL_VARIABLE, "SysPrep0000", &option);
    let at = entries.iter().position(|entry| *entry == called()).unwrap();
    let early =
        [Entry::of_data(1, EventType::EFI_VARIABLE_BOOT, &data), agent, application(tool, "tool")];
    entries.splice(at..at, early);
    let first = entries.iter().rposition(|entry| entry.event_type == EventType::SEPARATOR).unwrap();
    entries.insert(first + 1, setup);
    path(&entries, |path| {
        let told = applications(path);
        let roles: Vec<_> = told.iter().map(|step| role(step)).collect();
        let kinds = [Role::Firmware, Role::Shim, Role::Grub, Role::Kernel].map(Some);
        assert_eq!(roles, [kinds[0], None, kinds[0], kinds[1], kinds[2], kinds[3]]);
        let phases: Vec<_> =
            told.iter().map(|step| step.phase == Some(Phase::BeforeSeparator)).collect();
        assert_eq!(phases, [true, true, false, false, false, false]);
        assert_eq!((told[0].attempt, told[1].attempt, told[2].attempt), (None, None, Some(1)));
        assert_eq!(entry(told[1]), Some("SysPrep0000 A tool".to_owned()));
        assert_eq!(loader(told[3]), None, "set-up did not load shim");
        assert_eq!(entry(told[3]), Some("Boot0000 debian".to_owned()));
    });
}

#[test]
fn boots_from_the_network_are_told_by_their_place() {
    let boot = [application(Device::Http("http://boot/ipxe.efi"), "iPXE")];
    path(&with(&boot), |path| assert_eq!(source(applications(path)[0]), ImageSource::Http));
    let boot = [application(Device::Pxe, "a loader")];
    path(&with(&boot), |path| assert_eq!(source(applications(path)[0]), ImageSource::Pxe));
}

#[test]
fn applications_in_another_register_are_told() {
    let mut entries = BootLog::sound().entries();
    for entry in entries.iter_mut().filter(|entry| entry.event_type == APPLICATION) {
        entry.pcr_index = 2;
    }
    path(&entries, |path| {
        let told = applications(path);
        assert!(told.iter().all(|step| step.pcr_index == 2 && step.digest.is_some()));
        let roles: Vec<_> = told.into_iter().map(role).collect();
        assert_eq!(roles, [Role::Shim, Role::Grub, Role::Kernel].map(Some));
        assert_eq!(outcomes(path), [Outcome::TookOver]);
    });
}

#[test]
fn what_others_may_extend_is_no_command_line() {
    let lines = |pcr_index: u32| {
        let text = b"kernel_cmdline: /vmlinuz harmless\0";
        let entry = Entry::of_data(pcr_index, EventType::IPL, text);
        path(&with(&[entry]), |path| {
            path.steps.iter().filter(|s| matches!(s.part, Part::CommandLine { .. })).count()
        })
    };
    assert_eq!(lines(8), 1);
    for pcr_index in [5, 9, 11, 12, 14] {
        assert_eq!(lines(pcr_index), 0, "PCR {pcr_index}");
    }
}

#[test]
fn an_image_that_was_measured_twice_says_so() {
    let kernel = || application(Device::Unnamed, "a kernel");
    path(
        &with(&[application(Device::File("\\grubx64.efi"), "GRUB"), kernel(), kernel()]),
        |path| {
            let [grub, first, second] = applications(path)[..] else { panic!() };
            assert_eq!((grub.again, first.again), (None, None));
            assert_eq!(second.again, Some(first.event));
            assert_eq!((role(first), role(second)), (Some(Role::Kernel), Some(Role::Kernel)));
        },
    );
}

#[test]
fn a_hostile_log_is_told_up_to_a_limit() {
    let driver = |n: usize| {
        let data = image_load(Device::OptionRom, 1);
        let content = format!("driver {n}");
        Entry::of(2, EventType::EFI_BOOT_SERVICES_DRIVER, content.as_bytes(), &data)
    };
    let mut entries = firmware();
    entries.extend((0..DRIVERS_MAX + 7).map(driver));
    entries.extend((0..STEPS_MAX + 9).flat_map(|_| [called(), returned()]));
    path(&entries, |path| {
        assert_eq!(path.steps.len(), DRIVERS_MAX + STEPS_MAX);
        // The first call is the sound firmware's own.
        assert_eq!(path.n_more, 7 + 2 * (STEPS_MAX + 9) + 1 - STEPS_MAX);
        assert_eq!(path.attempts.len(), ATTEMPTS_MAX);
        assert_eq!(path.attempts.last().unwrap().outcome(), Outcome::NothingStarted);
    });
}

/// TCG_PCClientTaggedEvent.
fn tagged(id: u32, data: &[u8]) -> Vec<u8> {
    let len = u32::try_from(data.len()).unwrap();
    [&id.to_le_bytes()[..], &len.to_le_bytes(), data].concat()
}

/// What Windows' boot manager measures at the boot of this number, handing over to `to`.
fn windows_boot(number: u64, to: u32) -> Entry {
    let count = tagged(0x0002_0002, &number.to_le_bytes());
    let events = tagged(0x0002_0006, &(number * 256).to_le_bytes());
    let transfer = tagged(0x0002_0003, &to.to_le_bytes());
    let all = tagged(0x4001_0001, &[events, count, transfer].concat());
    Entry::of_data(12, EventType::EVENT_TAG, &all)
}

#[test]
fn windows_tells_its_boots_and_whether_it_woke() {
    let windows = |more: &[Entry]| path(&with(more), |path| path.windows);
    let at = u32::try_from(firmware().len()).unwrap() + 1;
    let boot = |boot_count, resumed, belief| WindowsBoot {
        event: at,
        boot_count: Some(boot_count),
        event_count: Some(boot_count * 256),
        resumed: Some(resumed),
        belief,
    };
    assert_eq!(windows(&[windows_boot(85, 1)]), Some(boot(85, false, Belief::Verified)));
    assert_eq!(windows(&[windows_boot(86, 2)]), Some(boot(86, true, Belief::Verified)));
    // The first counts; what comes behind the end of its part anybody may have written.
    let two = [windows_boot(85, 1), windows_boot(99, 2)];
    assert_eq!(windows(&two), Some(boot(85, false, Belief::Verified)));
    let end = Entry::of_data(12, EventType::SEPARATOR, b"WBCL");
    assert_eq!(windows(&[end, windows_boot(85, 1)]), None);
    // Another number than was measured.
    let lie = Entry { data: windows_boot(99, 1).data, ..windows_boot(85, 1) };
    let told = windows(&[lie]).unwrap();
    assert_eq!(told.boot_count, Some(99));
    assert_ne!(told.belief, Belief::Verified);
    assert_eq!(windows(&[]), None);
}
