//! The variables of OVMF in the file of its flash, read and written while no machine runs.
//!
//! The file begins with the volume's header, the store's header follows, then the variables one
//! behind the other, each at a multiple of four. [PI-1.7 Vol. 3 §3.2, edk2 VariableFormat.h]

use anyhow::{Context as _, ensure};
use efi::{Guid, Reader};
use testkit::log::{signature_list, ucs2};
use tpm_wire::ParseError;

/// How a volume marks itself, at offset 40 of its header.
const VOLUME_SIGNATURE: &[u8] = b"_FVH";
/// EFI_AUTHENTICATED_VARIABLE_GUID: variables that carry what is needed to check who wrote them.
const AUTHENTICATED: Guid = Guid::new(0xaaf3_2c78, 0x947b, 0x439a, 0xa180, 0x2e14_4ec3_7792);
/// Of the store: its GUID, its size, three flags with a reserved field.
const STORE_HEADER_LEN: usize = 28;
const VARIABLE_START: u16 = 0x55aa;
/// A variable that counts; of the older ones only their place is left.
const STATE_ADDED: u8 = 0x3f;

const NON_VOLATILE_AT_BOOT: u32 = 3;
/// The same, seen by the running system too, and written by signed updates alone.
const AUTHENTICATED_WRITE: u32 = 0x27;

/// gEfiSecureBootEnableDisableGuid, of edk2: whether a person switched Secure Boot on.
const SECURE_BOOT_ENABLE: Guid = Guid::new(0xf0a3_0bc7, 0xaf08, 0x4556, 0x99c4, 0x0010_09c9_3a44);
/// gEfiCustomModeEnableGuid, of edk2: whether keys may be written without a signature.
const CUSTOM_MODE: Guid = Guid::new(0xc076_ec0c, 0x7028, 0x4399, 0xa072, 0x71ee_5c44_8b9f);
/// Who owns the keys that are written here.
const OWNER: Guid = Guid::new(0x6b0d_9a4e, 0x3f2c, 0x4c57, 0x9a61, 0x0e5d_7c1b_8f24);

/// A switch of the firmware's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Switch {
    On,
    Off,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Variable {
    guid: Guid,
    name: Vec<u8>,
    attributes: u32,
    // Counter, time and key of the last signed write.
    authentication: [u8; 28],
    data: Vec<u8>,
}

impl Variable {
    fn new(guid: Guid, name: &str, attributes: u32, data: Vec<u8>) -> Self {
        let mut authentication = [0; 28];
        if attributes == AUTHENTICATED_WRITE {
            // EFI_TIME of the write, behind the counter: 2020-01-01, before any signed update.
            authentication[8..12].copy_from_slice(&[0xe4, 0x07, 1, 1]);
        }
        Self { guid, name: ucs2(&format!("{name}\0")), attributes, authentication, data }
    }

    fn read(reader: &mut Reader<'_>) -> Result<(u8, Self), ParseError> {
        const WHAT: &str = "a variable of the firmware";
        let state = reader.u8(WHAT)?;
        reader.u8(WHAT)?;
        let attributes = reader.u32(WHAT)?;
        let authentication = reader.array(WHAT)?;
        let [name_len, data_len] = [reader.u32(WHAT)?, reader.u32(WHAT)?]
            .map(|len| usize::try_from(len).unwrap_or(usize::MAX));
        let guid = Guid::read(reader, WHAT)?;
        let name = reader.take(WHAT, name_len)?.to_vec();
        let data = reader.take(WHAT, data_len)?.to_vec();
        Ok((state, Self { guid, name, attributes, authentication, data }))
    }

    fn write(&self, out: &mut Vec<u8>) -> anyhow::Result<()> {
        out.resize(out.len().next_multiple_of(4), 0xff);
        out.extend(VARIABLE_START.to_le_bytes());
        out.extend([STATE_ADDED, 0]);
        out.extend(self.attributes.to_le_bytes());
        out.extend(self.authentication);
        out.extend(u32::try_from(self.name.len())?.to_le_bytes());
        out.extend(u32::try_from(self.data.len())?.to_le_bytes());
        out.extend(self.guid.0);
        out.extend(&self.name);
        out.extend(&self.data);
        Ok(())
    }

    fn is(&self, guid: Guid, name: &str) -> bool {
        self.guid == guid && self.name == ucs2(&format!("{name}\0"))
    }
}

/// The variables of a firmware that is switched off.
pub(super) struct VarStore {
    file: Vec<u8>,
    // Where the variables begin and where their room ends.
    start: usize,
    end: usize,
    variables: Vec<Variable>,
}

impl VarStore {
    /// Reads the file of a flash.
    pub(super) fn read(file: Vec<u8>) -> anyhow::Result<Self> {
        const WHAT: &str = "a firmware volume";
        let mut reader = Reader::new(&file);
        reader.take(WHAT, 40)?;
        let signature = reader.take(WHAT, 4)?;
        ensure!(signature == VOLUME_SIGNATURE, "the file of variables is no firmware volume");
        reader.take(WHAT, 4)?;
        let header_len = usize::from(reader.u16(WHAT)?);
        let mut reader = Reader::new(&file);
        reader.take(WHAT, header_len)?;
        let kind = Guid::read(&mut reader, WHAT)?;
        ensure!(kind == AUTHENTICATED, "the firmware keeps its variables in another format");
        let room = usize::try_from(reader.u32(WHAT)?)?;
        let (start, end) = (header_len + STORE_HEADER_LEN, header_len + room);
        let bytes = file.get(start..end).context("the store of variables is cut off")?;
        let variables = variables(bytes)?;
        Ok(Self { file, start, end, variables })
    }

    /// The file with these variables and no trace of older ones.
    pub(super) fn into_bytes(self) -> anyhow::Result<Vec<u8>> {
        let Self { mut file, start, end, variables } = self;
        let mut bytes = Vec::new();
        for variable in &variables {
            variable.write(&mut bytes)?;
        }
        let room = end - start;
        ensure!(bytes.len() <= room, "{} bytes of variables have no room in {room}", bytes.len());
        bytes.resize(room, 0xff);
        file[start..end].copy_from_slice(&bytes);
        Ok(file)
    }

    fn set(&mut self, variable: Variable) {
        self.variables.retain(|old| old.guid != variable.guid || old.name != variable.name);
        self.variables.push(variable);
    }

    /// Enrols the keys of an owner (certificates in DER) and switches Secure Boot on.
    pub(super) fn enrol(&mut self, pk: &[u8], kek: &[u8], db: &[u8]) {
        let variables = [
            (Guid::GLOBAL_VARIABLE, "PK", pk),
            (Guid::GLOBAL_VARIABLE, "KEK", kek),
            (Guid::IMAGE_SECURITY_DATABASE, "db", db),
        ];
        for (guid, name, certificate) in variables {
            let list = certificate_list(certificate);
            self.set(Variable::new(guid, name, AUTHENTICATED_WRITE, list));
        }
        let off = vec![0];
        self.set(Variable::new(CUSTOM_MODE, "CustomMode", NON_VOLATILE_AT_BOOT, off));
        self.switch_secure_boot(Switch::On);
    }

    /// What a person does in the firmware's set-up; the keys stay.
    pub(super) fn switch_secure_boot(&mut self, switch: Switch) {
        let value = vec![u8::from(switch == Switch::On)];
        let name = "SecureBootEnable";
        self.set(Variable::new(SECURE_BOOT_ENABLE, name, NON_VOLATILE_AT_BOOT, value));
    }

    /// Adds the SHA-256 of an image to dbx.
    pub(super) fn revoke(&mut self, sha256: &[u8]) {
        let list = signature_list(efi::CertType::SHA256, OWNER, &[sha256.to_vec()]);
        self.append(Guid::IMAGE_SECURITY_DATABASE, "dbx", AUTHENTICATED_WRITE, list);
    }

    /// Adds a key to the list of the machine's owner, of which shim takes care.
    pub(super) fn enrol_mok(&mut self, certificate: &[u8]) {
        let list = certificate_list(certificate);
        self.append(Guid::SHIM_LOCK, "MokList", NON_VOLATILE_AT_BOOT, list);
    }

    fn append(&mut self, guid: Guid, name: &str, attributes: u32, list: Vec<u8>) {
        match self.variables.iter_mut().find(|variable| variable.is(guid, name)) {
            Some(variable) => variable.data.extend(list),
            None => self.variables.push(Variable::new(guid, name, attributes, list)),
        }
    }
}

fn certificate_list(certificate: &[u8]) -> Vec<u8> {
    signature_list(efi::CertType::X509, OWNER, &[certificate.to_vec()])
}

/// The variables that count, in their order.
fn variables(bytes: &[u8]) -> anyhow::Result<Vec<Variable>> {
    let mut found = Vec::new();
    let mut reader = Reader::new(bytes);
    loop {
        let padding = reader.offset().next_multiple_of(4) - reader.offset();
        if reader.take("padding", padding).is_err() || reader.rest().len() < 2 {
            return Ok(found);
        }
        if reader.u16("a variable's start")? != VARIABLE_START {
            return Ok(found);
        }
        let (state, variable) = Variable::read(&mut reader)?;
        if state == STATE_ADDED {
            found.push(variable);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: usize = 2048;

    fn blank() -> Vec<u8> {
        let mut file = vec![0; 72];
        file[40..44].copy_from_slice(VOLUME_SIGNATURE);
        file[48] = 72;
        file.extend(AUTHENTICATED.0);
        file.extend(u32::try_from(ROOM).unwrap().to_le_bytes());
        file.extend([0x5a, 0xfe, 0, 0, 0, 0, 0, 0]);
        file.resize(72 + ROOM, 0xff);
        file.extend([0; 100]);
        file
    }

    #[test]
    fn what_is_written_is_read_again() {
        let mut store = VarStore::read(blank()).unwrap();
        assert!(store.variables.is_empty());
        store.enrol(&[1; 33], &[2; 50], &[3; 70]);
        store.revoke(&[4; 32]);
        store.revoke(&[5; 32]);
        store.switch_secure_boot(Switch::Off);
        let kept = store.variables.clone();
        assert_eq!(kept.len(), 6, "PK, KEK, db, dbx, CustomMode, SecureBootEnable");
        let file = store.into_bytes().unwrap();
        assert_eq!(file.len(), blank().len());
        assert_eq!(file[72 + ROOM..], [0; 100], "what lies behind the store is left alone");
        let again = VarStore::read(file.clone()).unwrap();
        assert_eq!(again.variables, kept);
        assert_eq!(again.into_bytes().unwrap(), file);
        let dbx = kept.iter().find(|variable| variable.name == ucs2("dbx\0")).unwrap();
        assert_eq!(efi::SignatureLists::new(&dbx.data).count(), 2);
        assert_eq!(kept.last().unwrap().data, [0]);
    }

    #[test]
    fn deleted_variables_do_not_count() {
        let mut store = VarStore::read(blank()).unwrap();
        store.enrol_mok(&[7; 40]);
        let mut file = store.into_bytes().unwrap();
        assert_eq!(VarStore::read(file.clone()).unwrap().variables.len(), 1);
        file[72 + STORE_HEADER_LEN + 2] = 0x3d;
        assert!(VarStore::read(file).unwrap().variables.is_empty());
    }

    #[test]
    fn what_has_no_room_and_what_is_no_store_is_refused() {
        let mut store = VarStore::read(blank()).unwrap();
        store.enrol_mok(&[7; ROOM]);
        assert!(store.into_bytes().unwrap_err().to_string().contains("no room"));
        for len in 0..72 + ROOM {
            assert!(VarStore::read(blank()[..len].to_vec()).is_err(), "cut to {len}");
        }
        let mut file = blank();
        file[72] ^= 1;
        assert!(VarStore::read(file).is_err());
        let mut file = blank();
        file[72 + STORE_HEADER_LEN..][..4].copy_from_slice(&[0xaa, 0x55, STATE_ADDED, 0]);
        assert!(VarStore::read(file).is_err(), "a variable of four gigabytes");
    }
}
