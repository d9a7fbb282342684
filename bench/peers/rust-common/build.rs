// SPDX-License-Identifier: BSD-2-Clause
//! The compiler's version, for the first line of output.
use std::process::Command;

fn main() {
    let rustc = std::env::var("RUSTC").expect("cargo sets RUSTC");
    let out = Command::new(&rustc).arg("--version").output().expect("rustc --version");
    let text = String::from_utf8_lossy(&out.stdout);
    let version = text.split_whitespace().nth(1).expect("rustc says its version");
    println!("cargo:rustc-env=PEER_RUSTC={version}");
    println!("cargo:rerun-if-changed=build.rs");
}
