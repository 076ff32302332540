//! Keys whose numbers show that they can be factored.

/// Primes that the modulus is looked at by. Keys of 2048 bits and more were made with residues
/// modulo the first 126 primes; 2 tells nothing, since every modulus is odd. The two of the small ones
/// come first that the fewest sound moduli pass.
const PRIMES: [u32; 125] = [
    37, 11, 3, 5, 7, 13, 17, 19, 23, 29, 31, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193,
    197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293, 307,
    311, 313, 317, 331, 337, 347, 349, 353, 359, 367, 373, 379, 383, 389, 397, 401, 409, 419, 421,
    431, 433, 439, 443, 449, 457, 461, 463, 467, 479, 487, 491, 499, 503, 509, 521, 523, 541, 547,
    557, 563, 569, 571, 577, 587, 593, 599, 601, 607, 613, 617, 619, 631, 641, 643, 647, 653, 659,
    661, 673, 677, 683, 691, 701,
];

/// What all those keys were made from.
const GENERATOR: u32 = 65537;

/// Whether an RSA modulus of 2048 bits or more, big-endian, was made as Infineon's library made
/// them (ROCA, CVE-2017-15361): its residue modulo each of the small primes is a power of 65537. A
/// sound modulus is taken for one with a probability far below that of guessing a key.
///
/// Sound moduli fail at one of the first few primes, so that this costs below a microsecond.
pub fn is_roca_weak(modulus: &[u8]) -> bool {
    PRIMES.iter().all(|prime| is_power(residue(modulus, *prime), *prime))
}

/// `modulus` modulo a prime below 2^16, which keeps each step within 64 bits.
fn residue(modulus: &[u8], prime: u32) -> u32 {
    let prime = u64::from(prime);
    let (head, limbs) = modulus.as_rchunks::<4>();
    let head = head.iter().fold(0, |rest, byte| ((rest << 8) | u64::from(*byte)) % prime);
    let rest = limbs
        .iter()
        .fold(head, |rest, limb| ((rest << 32) | u64::from(u32::from_be_bytes(*limb))) % prime);
    u32::try_from(rest).unwrap_or(0)
}

/// Whether `value` is a power of [`GENERATOR`] modulo `prime`.
fn is_power(value: u32, prime: u32) -> bool {
    let step = GENERATOR % prime;
    let mut power = 1;
    // The powers repeat after fewer than `prime` steps.
    for _ in 0..prime {
        if power == value {
            return true;
        }
        power = power * step % prime;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made for this test: two primes `k * M + (65537^a mod M)`, `M` the product of the first 126
    /// primes.
    const WEAK: &str = include_str!("../tests/roca-modulus.hex");

    #[test]
    fn a_key_of_the_weak_library_is_known_by_its_modulus() {
        let weak = hex::decode(WEAK.trim()).unwrap();
        assert!(is_roca_weak(&weak));
        assert!(is_roca_weak(&[&[0, 0, 0][..], &weak].concat()), "leading zeros");
        for byte in [0, 100, 255] {
            let mut other = weak.clone();
            other[byte] ^= 2;
            assert!(!is_roca_weak(&other), "byte {byte}");
        }
        assert!(!is_roca_weak(&[]));
        assert!(!is_roca_weak(&[0xff; 256]));
    }

    #[test]
    fn residues_are_those_of_long_division() {
        let bytes: Vec<u8> = (0..=255).collect();
        for len in 0..64 {
            for prime in [3, 167, 701] {
                let number = bytes[7..7 + len].iter();
                let slow = number.fold(0u32, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
                assert_eq!(residue(&bytes[7..7 + len], prime), slow);
            }
        }
    }
}
