use serde_json::{Value, json};

use super::*;
use crate::e2e::Message;
use crate::e2e::message::{ExtendedTextMessage, ImageMessage, LocationMessage};
use crate::reporting::Config;

fn read(value: Value) -> Result<Message, ReadError> {
    from_json(&value, UnknownFields::Refuse)
}

fn image(message: &Message) -> &ImageMessage {
    message.image_message.as_deref().unwrap()
}

#[test]
fn bytes_are_read_in_every_spelling() {
    for bytes in [
        json!("+/8="),
        json!("+/8"),
        json!("-_8="),
        json!([251, 255]),
        json!({"0": 251, "1": 255}),
        json!({"type": "Buffer", "data": [251, 255]}),
        json!({"type": "Buffer", "data": "+/8="}),
    ] {
        let message = read(json!({"imageMessage": {"fileSha256": bytes}})).unwrap();
        assert_eq!(image(&message).file_sha256.as_deref(), Some(&[251_u8, 255][..]));
    }
}

#[test]
fn long_integers_are_read_in_every_spelling() {
    for length in [
        json!(4_294_967_295_u64),
        json!("4294967295"),
        json!({"low": -1, "high": 0, "unsigned": true}),
        json!({"low": 4_294_967_295_u64, "high": 0}),
        json!(4_294_967_295.0),
    ] {
        let message = read(json!({"imageMessage": {"fileLength": length}})).unwrap();
        assert_eq!(image(&message).file_length, Some(4_294_967_295));
    }
    let negative = read(json!({"imageMessage": {"mediaKeyTimestamp": {"low": -2, "high": -1}}})).unwrap();
    assert_eq!(image(&negative).media_key_timestamp, Some(-2));
}

#[test]
fn enums_are_read_by_name_and_number_and_unknown_numbers_survive() {
    for (source, number) in [(json!("AI_GENERATED"), 1), (json!(1), 1), (json!(4711), 4711)] {
        let message = read(json!({"imageMessage": {"imageSourceType": source}})).unwrap();
        assert_eq!(image(&message).image_source_type, Some(number));
    }
    let unknown = Message {
        image_message: Some(Box::new(ImageMessage { image_source_type: Some(4711), ..Default::default() })),
        ..Default::default()
    };
    let written = to_json(&unknown, Form::Named).unwrap();
    assert_eq!(written, json!({"imageMessage": {"imageSourceType": 4711}}));
}

#[test]
fn names_are_read_in_snake_case_and_null_is_absent() {
    let message = read(json!({"extended_text_message": {"text": "a", "matched_text": null}})).unwrap();
    let text = message.extended_text_message.unwrap();
    assert_eq!((text.text.as_deref(), text.matched_text), (Some("a"), None));
}

#[test]
fn errors_name_the_place() {
    let path = |value| read(value).unwrap_err().to_string();
    assert_eq!(path(json!({"imageMessage": {"hight": 1}})), "no field is called imageMessage.hight");
    assert_eq!(
        path(json!({"imageMessage": {"height": -1}})),
        "imageMessage.height is not an unsigned number of 32 bits"
    );
    assert_eq!(
        path(json!({"imageMessage": {"annotations": [{"shouldSkipConfirmation": 1}]}})),
        "imageMessage.annotations.0.shouldSkipConfirmation is not true or false"
    );
    assert_eq!(
        path(json!({"imageMessage": {"imageSourceType": "NOWHERE"}})),
        "imageMessage.imageSourceType is no value of Message.ImageMessage.ImageSourceType"
    );
    assert_eq!(path(json!("text")), "the message is not an object");
    assert!(path(json!({"imageMessage": {"fileSha256": "*"}})).contains("fileSha256 is not bytes"));
}

#[test]
fn unknown_names_are_skipped_on_request() {
    let message: Message =
        from_json(&json!({"conversation": "a", "new": {"b": 1}}), UnknownFields::Ignore).unwrap();
    assert_eq!(message.conversation.as_deref(), Some("a"));
}

#[test]
fn nesting_is_bounded_in_both_directions() {
    let nest = |levels: usize| {
        let mut value = json!({"conversation": "a"});
        for _ in 0..levels {
            value = json!({"ephemeralMessage": {"message": value}});
        }
        value
    };
    let message = read(nest(32)).unwrap();
    assert_eq!(to_json(&message, Form::Named).unwrap(), nest(32));
    assert_eq!(read(nest(33)), Err(ReadError::TooDeep));
    let mut deeper = message;
    for _ in 0..2 {
        deeper = Message {
            ephemeral_message: Some(Box::new(crate::e2e::message::FutureProofMessage {
                message: Some(Box::new(deeper)),
            })),
            ..Default::default()
        };
    }
    assert!(to_json(&deeper, Form::Named).is_err());
}

#[test]
fn whole_doubles_have_no_fraction_and_odd_ones_are_words() {
    let location = |latitude: f64, form| {
        let message = Message {
            location_message: Some(Box::new(LocationMessage {
                degrees_latitude: Some(latitude),
                accuracy_in_meters: Some(7),
                ..Default::default()
            })),
            ..Default::default()
        };
        serde_json::to_string(&View::new(&message, form)).unwrap()
    };
    let named = |number: &str| {
        format!("{{\"locationMessage\":{{\"degreesLatitude\":{number},\"accuracyInMeters\":7}}}}")
    };
    assert_eq!(location(52.0, Form::Named), named("52"));
    assert_eq!(location(-0.5, Form::Named), named("-0.5"));
    assert_eq!(location(f64::NAN, Form::Named), named("\"NaN\""));
    assert_eq!(location(f64::NEG_INFINITY, Form::Named), named("\"-Infinity\""));
    assert_eq!(location(f64::INFINITY, Form::Plain), named("null"));
    let back = read(json!({"locationMessage": {"degreesLatitude": "-Infinity"}})).unwrap();
    assert_eq!(back.location_message.unwrap().degrees_latitude, Some(f64::NEG_INFINITY));
}

#[test]
fn explicit_defaults_are_written() {
    let message = Message {
        extended_text_message: Some(Box::new(ExtendedTextMessage {
            text: Some(String::new()),
            view_once: Some(false),
            ..Default::default()
        })),
        ..Default::default()
    };
    assert_eq!(
        to_json(&message, Form::Named).unwrap(),
        json!({"extendedTextMessage": {"text": "", "viewOnce": false}})
    );
}

#[test]
fn maps_are_objects() {
    let value = json!({"field": {"0": {}, "9": {"isMessage": true, "subfield": {"1": {"minVersion": 2}}}}});
    let config: Config = from_json(&value, UnknownFields::Refuse).unwrap();
    assert_eq!(config.field.len(), 2);
    assert_eq!(to_json(&config, Form::Named).unwrap(), value);
    assert!(from_json::<Config>(&json!({"field": {"x": {}}}), UnknownFields::Refuse).is_err());
}

#[test]
fn fields_are_written_in_the_order_of_their_numbers() {
    let value =
        json!({"messageContextInfo": {"messageSecret": "AA=="}, "imageMessage": {"width": 2, "height": 1}});
    let message = read(value).unwrap();
    assert_eq!(
        serde_json::to_string(&View::new(&message, Form::Named)).unwrap(),
        r#"{"imageMessage":{"height":1,"width":2},"messageContextInfo":{"messageSecret":"AA=="}}"#
    );
}
