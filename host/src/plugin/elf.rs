//! Is this file a shared library for this machine?
//!
//! `dlopen` would find out too, but its sentences ("invalid ELF header", "file
//! too short") do not say what to do. Layout: System V ABI, chapter 4.

use std::{fs::File, io::Read, path::Path};

/// Why a file is not a shared library for this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotALibrary {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Not ELF, and readable as text.
    #[error("it is a text file, not a shared library")]
    Text,
    /// Not ELF.
    #[error("it is not a shared library (no ELF header)")]
    Foreign,
    /// The file ends before the parts that its header announces.
    #[error("the file is cut off: {actual} bytes, but its header speaks of at least {needed}")]
    Truncated {
        /// Bytes in the file.
        actual: u64,
        /// Bytes that the header needs.
        needed: u64,
    },
    /// For another processor.
    #[error("it was built for {found}, this machine is {expected}")]
    Machine {
        /// What the header says.
        found: String,
        /// What we are.
        expected: &'static str,
    },
    /// A program, an object file or a core dump.
    #[error("it is {0}, not a shared library")]
    Type(&'static str),
}

const HEADER: usize = 64;
const TYPE_SHARED: u16 = 3;

#[cfg(target_arch = "x86_64")]
const OURS: (u8, u8, u16, &str) = (2, 1, 62, "64-bit x86-64");
#[cfg(target_arch = "aarch64")]
const OURS: (u8, u8, u16, &str) = (2, 1, 183, "64-bit AArch64");
#[cfg(target_arch = "arm")]
const OURS: (u8, u8, u16, &str) = (1, 1, 40, "32-bit Arm");
#[cfg(target_arch = "riscv64")]
const OURS: (u8, u8, u16, &str) = (2, 1, 243, "64-bit RISC-V");

/// Reads the header of the file at `path` and judges it.
pub(super) fn check(path: &Path) -> std::io::Result<Result<(), NotALibrary>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut head = Vec::with_capacity(HEADER);
    file.by_ref().take(HEADER as u64).read_to_end(&mut head)?;
    Ok(judge(&head, length))
}

/// Judges the first 64 bytes of a file of `length` bytes.
fn judge(head: &[u8], length: u64) -> Result<(), NotALibrary> {
    if head.is_empty() {
        return Err(NotALibrary::Empty);
    }
    if !head.starts_with(b"\x7fELF") {
        let text = head.iter().all(|&b| b >= b' ' || b.is_ascii_whitespace());
        return Err(if text { NotALibrary::Text } else { NotALibrary::Foreign });
    }
    if head.len() < HEADER {
        return Err(NotALibrary::Truncated { actual: length, needed: HEADER as u64 });
    }
    let (class, order) = (head[4], head[5]);
    let u16_at = |at: usize| {
        let bytes = [head[at], head[at + 1]];
        if order == 2 { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    };
    let (kind, machine) = (u16_at(16), u16_at(18));
    if (class, order, machine) != (OURS.0, OURS.1, OURS.2) {
        return Err(NotALibrary::Machine {
            found: describe(class, order, machine),
            expected: OURS.3,
        });
    }
    match kind {
        TYPE_SHARED => {}
        1 => return Err(NotALibrary::Type("an object file")),
        2 => return Err(NotALibrary::Type("a program")),
        4 => return Err(NotALibrary::Type("a core dump")),
        _ => return Err(NotALibrary::Type("an ELF file of an unknown type")),
    }
    let needed = if class == 2 { section_table_end(head) } else { 0 };
    if length < needed {
        return Err(NotALibrary::Truncated { actual: length, needed });
    }
    Ok(())
}

/// Where the section table ends: the last thing in a file that a linker wrote.
fn section_table_end(head: &[u8]) -> u64 {
    let mut offset = [0; 8];
    offset.copy_from_slice(&head[40..48]);
    let u16_at = |at: usize| u64::from(u16::from_le_bytes([head[at], head[at + 1]]));
    u64::from_le_bytes(offset).saturating_add(u16_at(58) * u16_at(60))
}

fn describe(class: u8, order: u8, machine: u16) -> String {
    let machine = match machine {
        3 => "x86".to_owned(),
        8 => "MIPS".to_owned(),
        20 | 21 => "PowerPC".to_owned(),
        22 => "S390".to_owned(),
        40 => "Arm".to_owned(),
        62 => "x86-64".to_owned(),
        183 => "AArch64".to_owned(),
        243 => "RISC-V".to_owned(),
        258 => "LoongArch".to_owned(),
        other => format!("machine type {other}"),
    };
    let bits = if class == 1 { "32" } else { "64" };
    let order = if order == 2 { " big-endian" } else { "" };
    format!("{bits}-bit{order} {machine}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Vec<u8> {
        let mut head = vec![0; HEADER];
        head[..4].copy_from_slice(b"\x7fELF");
        (head[4], head[5]) = (OURS.0, OURS.1);
        head[16..18].copy_from_slice(&TYPE_SHARED.to_le_bytes());
        head[18..20].copy_from_slice(&OURS.2.to_le_bytes());
        head
    }

    #[test]
    fn a_shared_library_for_this_machine_passes() {
        assert_eq!(judge(&ours(), 64), Ok(()));
    }

    #[test]
    fn what_is_no_library_is_called_what_it_is() {
        assert_eq!(judge(b"", 0), Err(NotALibrary::Empty));
        assert_eq!(judge(b"hello\nworld\n", 12), Err(NotALibrary::Text));
        assert_eq!(judge("größer".as_bytes(), 8), Err(NotALibrary::Text));
        assert_eq!(judge(b"MZ\x90\0\x03", 5), Err(NotALibrary::Foreign));
    }

    #[test]
    fn a_library_for_another_processor_is_named() {
        let mut head = ours();
        head[18..20].copy_from_slice(&8_u16.to_le_bytes());
        let NotALibrary::Machine { found, .. } = judge(&head, 64).unwrap_err() else { panic!() };
        assert_eq!(found, "64-bit MIPS");
        head[4] = 1;
        head[5] = 2;
        head[18..20].copy_from_slice(&22_u16.to_be_bytes());
        let NotALibrary::Machine { found, .. } = judge(&head, 64).unwrap_err() else { panic!() };
        assert_eq!(found, "32-bit big-endian S390");
    }

    #[test]
    fn a_program_is_no_library() {
        let mut head = ours();
        head[16] = 2;
        assert_eq!(judge(&head, 64), Err(NotALibrary::Type("a program")));
    }

    #[test]
    fn a_cut_off_file_is_noticed_by_its_section_table() {
        assert_eq!(
            judge(&ours()[..20], 20),
            Err(NotALibrary::Truncated { actual: 20, needed: 64 })
        );
        if OURS.0 == 2 {
            let mut head = ours();
            head[40..48].copy_from_slice(&10_000_u64.to_le_bytes());
            head[58..60].copy_from_slice(&64_u16.to_le_bytes());
            head[60..62].copy_from_slice(&30_u16.to_le_bytes());
            assert_eq!(
                judge(&head, 5_000),
                Err(NotALibrary::Truncated { actual: 5_000, needed: 11_920 })
            );
            assert_eq!(judge(&head, 11_920), Ok(()));
        }
    }

    #[test]
    fn the_running_program_is_for_this_machine() {
        let verdict = check(&std::env::current_exe().unwrap()).unwrap();
        assert!(!matches!(verdict, Err(NotALibrary::Machine { .. })), "{verdict:?}");
    }
}
