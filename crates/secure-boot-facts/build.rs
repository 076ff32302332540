//! Makes static data of the table of revoked images: a program that starts for one verdict should not
//! have to read a text first. A line that cannot be read ends the build.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

const TABLE: &str = "data/dbx.txt";

/// As `Architecture::ALL` has them.
const ARCHITECTURES: [&str; 4] = ["x64", "ia32", "aarch64", "arm"];

/// Place in [`ARCHITECTURES`], year, month and day.
type Release = (usize, [u16; 3]);

fn main() {
    println!("cargo::rerun-if-changed={TABLE}");
    let text = fs::read_to_string(TABLE).unwrap();
    let lines: Vec<_> = text.lines().map(line).collect();
    let images: BTreeMap<[u8; 32], _> =
        lines.iter().map(|(release, sha256, product)| (*sha256, (*release, *product))).collect();
    assert_eq!(images.len(), lines.len(), "{TABLE}: an image comes twice");
    let releases: BTreeSet<Release> = lines.iter().map(|(release, ..)| *release).collect();
    let products: BTreeSet<&str> = lines.iter().map(|(.., product)| *product).collect();
    let products: Vec<&str> = products.into_iter().collect();

    let mut out = String::new();
    writeln!(out, "static IMAGES: [Image; {}] = [", images.len()).unwrap();
    for (sha256, (release, product)) in &images {
        let release = releases.range(..release).count();
        let product = products.iter().filter(|known| *known < product).count();
        writeln!(
            out,
            "    Image {{ sha256: {sha256:?}, release: {release}, product: {product} }},"
        )
        .unwrap();
    }
    writeln!(out, "];\nstatic PRODUCTS: [&str; {}] = {products:?};", products.len()).unwrap();
    writeln!(out, "static RELEASES: [Release; {}] = [", releases.len()).unwrap();
    for release @ (_, [year, month, day]) in &releases {
        let n = lines.iter().filter(|(known, ..)| known == release).count();
        let date = format!("Date::new({year}, {month}, {day})");
        writeln!(out, "    Release {{ date: {date}, n_added: {n} }},").unwrap();
    }
    let starts: Vec<usize> =
        (0..=ARCHITECTURES.len()).map(|of| releases.range(..(of, [0; 3])).count()).collect();
    writeln!(out, "];\nstatic FIRST_RELEASE: [usize; {}] = {starts:?};", starts.len()).unwrap();
    let before =
        |first: usize| images.keys().filter(|sha256| usize::from(sha256[0]) < first).count();
    let by_first_byte: Vec<usize> = (0..=256).map(before).collect();
    writeln!(out, "static BY_FIRST_BYTE: [usize; 257] = {by_first_byte:?};").unwrap();
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap()).join("dbx.rs"), out).unwrap();
}

/// `architecture day digest product`.
fn line(line: &str) -> (Release, [u8; 32], &str) {
    let read = || {
        let mut parts = line.splitn(4, ' ');
        let architecture = parts.next()?;
        let architecture = ARCHITECTURES.iter().position(|known| *known == architecture)?;
        let date: Vec<u16> =
            parts.next()?.split('-').map(|n| n.parse().ok()).collect::<Option<_>>()?;
        let mut sha256 = [0; 32];
        hex::decode_to_slice(parts.next()?, &mut sha256).ok()?;
        Some(((architecture, date.try_into().ok()?), sha256, parts.next()?))
    };
    read().unwrap_or_else(|| panic!("{TABLE}: {line:?}"))
}
