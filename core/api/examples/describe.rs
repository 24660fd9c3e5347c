//! Prints the description of the surface; `cargo xtask bindings` keeps `bindings/api.json`
//! equal to it.

fn main() {
    println!("{:#}", whimbrel_api::describe::describe());
}
