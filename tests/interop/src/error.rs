use std::io;

/// Why a peer did not do what the test asked.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// The program could not be built or its packages not be installed.
    #[error("failed to prepare the program: `{command}` said\n{output}")]
    Prepare {
        /// The command that failed.
        command: String,
        /// What it printed.
        output: String,
    },
    /// The program could not be started or talked to.
    #[error("failed to talk to the program: {0}")]
    Io(#[from] io::Error),
    /// The program wrote a line that is not in the protocol.
    #[error("failed to read `{line}`: {source}")]
    Protocol {
        /// The line as it came.
        line: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// The program answered the command with an error.
    #[error("failed to {command}: {reason}")]
    Refused {
        /// The command.
        command: String,
        /// The program's words.
        reason: String,
    },
    /// What the test waited for did not come in time.
    #[error("failed to see {what} in time; unread events: {unread}\nlast log lines:\n{log}")]
    Deadline {
        /// What was waited for.
        what: String,
        /// The events that came instead.
        unread: String,
        /// The end of the program's log.
        log: String,
    },
    /// The program ended while the test waited.
    #[error("failed to see {what}: the program ended; unread events: {unread}\nlast log lines:\n{log}")]
    Ended {
        /// What was waited for.
        what: String,
        /// The events that came instead.
        unread: String,
        /// The end of the program's log.
        log: String,
    },
}
