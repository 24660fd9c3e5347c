//! Tells the linker how packages are made.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Packages are made with functions of equal code folded into one, where the linker can: rustc's own
    // for this platform does.
    println!("cargo::rerun-if-env-changed=WHIMBREL_FOLD");
    if std::env::var_os("WHIMBREL_FOLD").is_some() {
        println!("cargo::rustc-cdylib-link-arg=-Wl,--icf=all");
    }
}
