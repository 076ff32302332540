//! tpm-device
