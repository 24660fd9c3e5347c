//! The interface as C and C++ see it: the header, and programs on the library.

#[cfg(test)]
mod checks;
#[cfg(test)]
mod header;
#[cfg(test)]
mod programs;
