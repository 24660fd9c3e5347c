//! Devices of users: who has which, their keys, and the two addresses of each person.
