//! The service as clients see it: real sockets and handshakes, made-up ciphertexts.

#[cfg(test)]
mod connection;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod linking;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod standing;
#[cfg(test)]
mod support;
