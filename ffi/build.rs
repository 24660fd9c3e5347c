//! Names the shared library for the dynamic linker.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux" || os == "android");
    if linux {
        // The number is WHIMBREL_ABI_VERSION; a test compares the two.
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libwhimbrel.so.1");
    }
    // Packages are made with functions of equal code folded into one, where the linker can: rustc's own
    // for this platform does.
    println!("cargo::rerun-if-env-changed=WHIMBREL_FOLD");
    if std::env::var_os("WHIMBREL_FOLD").is_some() {
        println!("cargo::rustc-cdylib-link-arg=-Wl,--icf=all");
    }
}
