//! Answers to buttons, lists and native flows: one kind for all four forms (messages document §11.3).

use serde_json::Value;
use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::buttons_response_message::{Response, Type as ButtonsType};
use whimbrel_proto::e2e::message::interactive_response_message::{
    Body, InteractiveResponseMessage as FlowAnswer, NativeFlowResponseMessage,
};
use whimbrel_proto::e2e::message::list_response_message::{ListType, SingleSelectReply};
use whimbrel_proto::e2e::message::{
    ButtonsResponseMessage, InteractiveResponseMessage, ListResponseMessage, TemplateButtonReplyMessage,
};

/// Somebody chose. What they chose from is the message that theirs quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// The id that the maker of the buttons gave to this one; absent if the answer carries none.
    pub id: Option<String>,
    /// What stood on it.
    pub text: Option<String>,
    /// What was chosen from, with what belongs to that form only.
    pub source: ChoiceSource,
}

/// What was chosen from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChoiceSource {
    /// Legacy buttons.
    #[default]
    Buttons,
    /// The buttons of a template.
    Template {
        /// Which button, counted from 0.
        index: Option<u32>,
        /// Which card of a carousel, counted from 0.
        card: Option<u32>,
    },
    /// A list.
    List {
        /// Small words of the row.
        description: Option<String>,
    },
    /// A native flow.
    NativeFlow {
        /// Its name, such as `quick_reply`.
        name: String,
        /// What it answered, JSON.
        params_json: String,
        /// Version of the answer.
        version: Option<i32>,
    },
}

impl Choice {
    pub(crate) fn take(content: &mut Message) -> Option<Self> {
        if let Some(reply) = content.template_button_reply_message.take() {
            return Some(Self {
                id: reply.selected_id,
                text: reply.selected_display_text,
                source: ChoiceSource::Template {
                    index: reply.selected_index,
                    card: reply.selected_carousel_card_index,
                },
            });
        }
        if let Some(reply) = content.list_response_message.take() {
            return Some(Self {
                id: reply.single_select_reply.and_then(|row| row.selected_row_id),
                text: reply.title,
                source: ChoiceSource::List { description: reply.description },
            });
        }
        if let Some(reply) = content.buttons_response_message.take() {
            let text = reply.response.map(|Response::SelectedDisplayText(text)| text);
            return Some(Self { id: reply.selected_button_id, text, source: ChoiceSource::Buttons });
        }
        let reply = content.interactive_response_message.take()?;
        let flow = reply.interactive_response_message;
        let flow = flow.map(|FlowAnswer::NativeFlowResponseMessage(flow)| flow).unwrap_or_default();
        let params_json = flow.params_json.unwrap_or_default();
        let id = serde_json::from_str::<Value>(&params_json)
            .ok()
            .and_then(|params| Some(params.get("id")?.as_str()?.to_owned()));
        Some(Self {
            id,
            text: reply.body.and_then(|body| body.text),
            source: ChoiceSource::NativeFlow {
                name: flow.name.unwrap_or_default(),
                params_json,
                version: flow.version,
            },
        })
    }

    pub(crate) fn put(self, content: &mut Message) {
        let Self { id, text, source } = self;
        match source {
            ChoiceSource::Buttons => {
                content.buttons_response_message = Some(Box::new(ButtonsResponseMessage {
                    selected_button_id: id,
                    r#type: Some(ButtonsType::DisplayText as i32),
                    response: text.map(Response::SelectedDisplayText),
                    ..ButtonsResponseMessage::default()
                }));
            }
            ChoiceSource::Template { index, card } => {
                content.template_button_reply_message = Some(Box::new(TemplateButtonReplyMessage {
                    selected_id: id,
                    selected_display_text: text,
                    selected_index: index,
                    selected_carousel_card_index: card,
                    ..TemplateButtonReplyMessage::default()
                }));
            }
            ChoiceSource::List { description } => {
                content.list_response_message = Some(Box::new(ListResponseMessage {
                    title: text,
                    list_type: Some(ListType::SingleSelect as i32),
                    single_select_reply: Some(SingleSelectReply { selected_row_id: id }),
                    description,
                    ..ListResponseMessage::default()
                }));
            }
            ChoiceSource::NativeFlow { name, params_json, version } => {
                let flow =
                    NativeFlowResponseMessage { name: Some(name), params_json: Some(params_json), version };
                content.interactive_response_message = Some(Box::new(InteractiveResponseMessage {
                    body: text.map(|text| Body { text: Some(text), format: Some(0) }),
                    interactive_response_message: Some(FlowAnswer::NativeFlowResponseMessage(flow)),
                    ..InteractiveResponseMessage::default()
                }));
            }
        }
    }
}
