//! `include/whimbrel.h`: written by cbindgen, agreed with what safer-ffi exports, parsed by the
//! compilers that will read it, and equal in names to the shared library.
//!
//! `WHIMBREL_BLESS=1` rewrites the header.

use std::fs;
use std::path::Path;

use crate::checks::{compiler, header, layout, library, prototypes, workspace};

#[test]
fn the_header_is_current_and_agrees_with_the_library() {
    let scratch = workspace::scratch("header");

    let written = header::write(&scratch);
    let path = workspace::root().join("include/whimbrel.h");
    if std::env::var_os("WHIMBREL_BLESS").is_some() {
        fs::write(&path, &written).unwrap();
    }
    let present = fs::read_to_string(&path).unwrap_or_default();
    assert!(present == written, "include/whimbrel.h is stale: run this test with WHIMBREL_BLESS=1");

    agree(&scratch);
    parse(&scratch);
    exported_names(&present);
}

/// The compiler compares every prototype and every field with what Rust thinks of them.
fn agree(scratch: &Path) {
    let (aliases, prototypes) = prototypes::of_safer_ffi();
    let source = format!(
        "#include \"whimbrel.h\"\n{aliases}\n{prototypes}\n{}\nint main(void) {{ return 0; }}\n",
        layout::assertions()
    );
    let file = scratch.join("agree.c");
    fs::write(&file, source).unwrap();
    compiler::check(&file, "c", "c11");
}

fn parse(scratch: &Path) {
    let twice = |name: &str, header: &str| {
        let file = scratch.join(name);
        let line = format!("#include \"{header}\"\n");
        fs::write(&file, format!("{line}{line}int main(void) {{ return 0; }}\n")).unwrap();
        file
    };
    let c = twice("parse.c", "whimbrel.h");
    for standard in ["c99", "c11", "c2x"] {
        compiler::check(&c, "c", standard);
    }
    let cpp = twice("parse.cpp", "whimbrel.h");
    for standard in ["c++11", "c++17", "c++20"] {
        compiler::check(&cpp, "c++", standard);
    }
    let hpp = twice("parse_hpp.cpp", "whimbrel.hpp");
    for standard in ["c++17", "c++20"] {
        compiler::check(&hpp, "c++", standard);
    }
}

/// The shared library exports the header's functions and nothing else.
fn exported_names(header: &str) {
    let declared = header::functions(header);
    assert!(declared.len() > 30, "the header's functions were not found: {declared:?}");
    assert_eq!(library::exported(), declared);
    assert_eq!(library::soname(), format!("libwhimbrel.so.{}", whimbrel_ffi::version::WHIMBREL_ABI_VERSION));
}
