//! Where Rust puts the fields of every struct that crosses the boundary.

use std::mem::{offset_of, size_of};

use whimbrel_ffi::bytes::{whimbrel_buffer, whimbrel_bytes, whimbrel_str};
use whimbrel_ffi::handler::{whimbrel_event_handler, whimbrel_log_handler, whimbrel_reply_handler};
use whimbrel_ffi::options::{
    whimbrel_call_options, whimbrel_client_options, whimbrel_engine_options, whimbrel_send_options,
};
use whimbrel_ffi::version::whimbrel_version_info;
use whimbrel_ffi::views::{whimbrel_message_view, whimbrel_receipt_view, whimbrel_sent_view};

struct Layout {
    name: &'static str,
    size: usize,
    fields: Vec<(&'static str, usize)>,
}

/// Names a struct and its fields; Rust says the numbers. A field that is forgotten here shows as
/// padding.
macro_rules! layout {
    ($name:ident { $($field:ident)* }) => {
        Layout {
            name: stringify!($name),
            size: size_of::<$name>(),
            fields: vec![$((stringify!($field), offset_of!($name, $field))),*],
        }
    };
}

fn layouts() -> Vec<Layout> {
    vec![
        layout!(whimbrel_version_info { abi reserved text }),
        layout!(whimbrel_str { ptr len }),
        layout!(whimbrel_bytes { ptr len }),
        layout!(whimbrel_buffer { ptr len }),
        layout!(whimbrel_event_handler { user_data function release }),
        layout!(whimbrel_reply_handler { user_data function release }),
        layout!(whimbrel_log_handler { user_data function release }),
        layout!(whimbrel_engine_options {
            struct_size url noise_root_key extra_ca_pem noise_root_serial worker_threads keep_alive_ms
            client_version_primary client_version_secondary client_version_tertiary
            version_url keep_version connect_limit
        }),
        layout!(whimbrel_client_options {
            struct_size store_path device_name journal_limit request_timeout_ms manual_start manual_acknowledge
            skip_disk_sync proxy journal_limit_bytes no_archive full_history history_days archive_days
            temporary_folder
        }),
        layout!(whimbrel_call_options { struct_size timeout_ms reserved }),
        layout!(whimbrel_send_options { struct_size message_id quote_message_id quote_sender timeout_ms wait }),
        layout!(whimbrel_message_view {
            struct_size message_id chat chat_phone sender sender_phone push_name text quoted_message_id
            quoted_sender completes raw timestamp sender_device from_me offline reserved content_type
        }),
        layout!(whimbrel_receipt_view {
            struct_size chat sender message_ids message_count timestamp sender_device receipt
        }),
        layout!(whimbrel_sent_view { struct_size message_id chat timestamp }),
    ]
}

/// C that fails to compile unless the header's structs have the same fields at the same places,
/// without padding.
pub(crate) fn assertions() -> String {
    let mut lines = Vec::new();
    for Layout { name, size, fields } in layouts() {
        let mut assert = |condition: String| lines.push(format!("_Static_assert({condition}, \"{name}\");"));
        assert(format!("sizeof({name}) == {size}"));
        let ends = fields.iter().skip(1).map(|(_, offset)| *offset).chain([size]);
        for ((field, offset), end) in fields.iter().zip(ends) {
            assert(format!("offsetof({name}, {field}) == {offset}"));
            assert(format!("offsetof({name}, {field}) + sizeof((({name} *)0)->{field}) == {end}"));
        }
    }
    lines.join("\n")
}
