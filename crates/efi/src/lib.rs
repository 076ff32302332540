//! efi
