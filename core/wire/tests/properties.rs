//! Round trips of arbitrary nodes, and arbitrary bytes.

mod checks;

use proptest::{collection::vec, prelude::*};
use whimbrel_wire::{Jid, Node, Server, decode_frame, encode};

const SERVERS: [Server; 12] = [
    Server::Pn,
    Server::Lid,
    Server::Hosted,
    Server::HostedLid,
    Server::Legacy,
    Server::Group,
    Server::Broadcast,
    Server::Newsletter,
    Server::Bot,
    Server::Msgr,
    Server::Interop,
    Server::Call,
];

/// Texts of every encoding: tokens, digits, hex, anything.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec!["iq", "message", "s.whatsapp.net", "read-self", "1961", "0", "abprops"])
            .prop_map(str::to_owned),
        "[0-9.-]{1,130}",
        "[0-9A-F]{1,130}",
        "\\PC{1,20}",
    ]
}

fn jid() -> impl Strategy<Value = Jid> {
    let known =
        (text(), prop::sample::select(SERVERS.to_vec()), any::<u16>()).prop_map(|(user, server, device)| {
            let device = server.max_device().map_or(0, |max| device.min(max));
            Jid::new(&user, server).with_device(device)
        });
    let alone = prop::sample::select(SERVERS.to_vec()).prop_map(Jid::server_only);
    let unknown = (text(), text()).prop_map(|(user, server)| Jid::with_server_name(&user, &server));
    prop_oneof![known, alone, unknown]
}

fn node() -> impl Strategy<Value = Node> {
    let leaf = (text(), vec(attr(), 0..5), proptest::option::of(vec(any::<u8>(), 0..300))).prop_map(
        |(tag, attrs, bytes)| {
            let node = with_attrs(Node::new(tag), attrs);
            match bytes {
                Some(bytes) => node.bytes(bytes),
                None => node,
            }
        },
    );
    leaf.prop_recursive(5, 40, 6, |inner| {
        (text(), vec(attr(), 0..5), vec(inner, 0..6))
            .prop_map(|(tag, attrs, children)| with_attrs(Node::new(tag), attrs).children(children))
    })
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Jid(Jid),
}

fn attr() -> impl Strategy<Value = (String, Value)> {
    let value = prop_oneof![
        text().prop_map(Value::Text),
        Just(Value::Text(String::new())),
        jid().prop_map(Value::Jid)
    ];
    (text(), value)
}

fn with_attrs(node: Node, attrs: Vec<(String, Value)>) -> Node {
    attrs.into_iter().fold(node, |node, (key, value)| match value {
        Value::Text(text) => node.attr(key, text),
        Value::Jid(jid) => node.attr(key, jid),
    })
}

proptest! {
    #[test]
    fn what_is_encoded_decodes_to_the_same(node in node()) {
        let mut frame = Vec::new();
        encode(&node, &mut frame).unwrap();
        prop_assert_eq!(&decode_frame(&frame).unwrap(), &node);
        checks::decode_node(&frame);
    }

    #[test]
    fn a_damaged_frame_is_a_node_or_an_error(node in node(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut frame = Vec::new();
        encode(&node, &mut frame).unwrap();
        let at = at.index(frame.len());
        frame[at] = byte;
        checks::decode_node(&frame);
    }

    #[test]
    fn random_bytes_are_a_node_or_an_error(data in vec(any::<u8>(), 0..400)) {
        checks::decode_node(&data);
        checks::frames(&data);
    }

    #[test]
    fn random_bytes_with_the_shape_of_values(data in vec(prop_oneof![0xec_u8..=0xff, 0_u8..8, any::<u8>()], 0..200)) {
        checks::decode_node(&[&[0, 0xf8][..], &data].concat());
    }

    #[test]
    fn streams_split_alike_everywhere(choice in any::<u8>(), frames in vec(vec(any::<u8>(), 1..300), 0..5), tail in vec(any::<u8>(), 0..5)) {
        let mut data = vec![choice];
        if choice & 1 == 0 {
            data.extend(whimbrel_wire::header::PROLOGUE);
        }
        for frame in &frames {
            whimbrel_wire::encode_frame(frame, &mut data).unwrap();
        }
        data.extend(tail);
        checks::frames(&data);
    }

    #[test]
    fn addresses_survive_their_text(text in "\\PC{0,30}") {
        if let Ok(jid) = Jid::parse(&text) {
            prop_assert_eq!(Jid::parse(&jid.to_string()), Ok(jid));
        }
    }

    #[test]
    fn plausible_addresses_survive_their_text(user in "[0-9.:-]{0,12}", server in prop::sample::select(SERVERS.to_vec())) {
        if let Ok(jid) = Jid::parse(&format!("{user}@{}", server.name())) {
            prop_assert_eq!(Jid::parse(&jid.to_string()), Ok(jid));
        }
    }
}
