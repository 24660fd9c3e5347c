//! The interface as C and C++ see it: the header, and programs on the library.

mod checks;
mod header;
mod programs;
