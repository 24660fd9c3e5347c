//! The child `<biz>`, without which interactive content is not drawn or is refused (messages
//! document §3.7, §11).

use whimbrel_proto::e2e::Message;
use whimbrel_proto::e2e::message::InteractiveMessage;
use whimbrel_proto::e2e::message::interactive_message::InteractiveMessage as Body;
use whimbrel_proto::e2e::message::interactive_message::header::Media;
use whimbrel_wire::Node;

/// Seconds that the moment in `privacy_mode_ts` lies before the sending: an empirical value that
/// the service does not compare.
const PRIVACY_MODE_OFFSET: i64 = 77_980_457;

/// Which form the child has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Biz {
    /// A button about payments: one flat child, with this name of the flow.
    Payment(&'static str),
    /// Other buttons, carousels and collections.
    Mixed,
    /// Lists.
    List,
}

impl Biz {
    /// The form for this content, if it needs one. Answers never do: the service refuses them with it.
    pub(crate) fn of(content: &Message) -> Option<Self> {
        if content.list_message.is_some() {
            return Some(Self::List);
        }
        if content.buttons_message.is_some() {
            return Some(Self::Mixed);
        }
        let interactive = content.interactive_message.as_deref()?;
        let first = match &interactive.interactive_message {
            Some(Body::ShopStorefrontMessage(_)) => return None,
            Some(Body::NativeFlowMessage(flow)) => flow.buttons.first(),
            _ => None,
        };
        match first {
            Some(button) => Some(payment(button.name()).map_or(Self::Mixed, Self::Payment)),
            None => has_words(interactive).then_some(Self::Mixed),
        }
    }

    /// The child. `now`: seconds since 1970.
    #[must_use]
    pub fn node(self, now: i64) -> Node {
        let hosted = || {
            Node::new("biz")
                .attr("actual_actors", "2")
                .attr("host_storage", "2")
                .attr("privacy_mode_ts", now.saturating_sub(PRIVACY_MODE_OFFSET))
        };
        match self {
            Self::Payment(name) => hosted().attr("native_flow_name", name),
            Self::Mixed => {
                let flow = Node::new("native_flow").attr("v", "9").attr("name", "mixed");
                let interactive =
                    Node::new("interactive").attr("type", "native_flow").attr("v", "1").child(flow);
                hosted()
                    .child(interactive)
                    .child(Node::new("quality_control").attr("source_type", "third_party"))
            }
            Self::List => {
                Node::new("biz").child(Node::new("list").attr("type", "product_list").attr("v", "2"))
            }
        }
    }
}

/// The name of the flow that a button of the payment family starts.
fn payment(button: &str) -> Option<&'static str> {
    Some(match button {
        "payment_info" => "payment_info",
        "review_and_pay" => "order_details",
        "review_order" | "order_status" => "order_status",
        "payment_status" => "payment_status",
        "payment_method" => "payment_method",
        "payment_reminder" => "payment_reminder",
        _ => return None,
    })
}

fn has_words(interactive: &InteractiveMessage) -> bool {
    let some = |text: Option<&String>| text.is_some_and(|text| !text.is_empty());
    let header = interactive.header.as_ref();
    some(interactive.body.as_ref().and_then(|body| body.text.as_ref()))
        || some(interactive.footer.as_ref().and_then(|footer| footer.text.as_ref()))
        || some(header.and_then(|header| header.title.as_ref()))
        || header.is_some_and(|header| matches!(header.media, Some(Media::ImageMessage(_))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_those_of_the_document() {
        let mixed = Biz::Mixed.node(1_800_000_000);
        assert!(mixed.attr_is("privacy_mode_ts", "1722019543") && mixed.attr_is("host_storage", "2"));
        let flow = mixed.child_named("interactive").and_then(|inner| inner.child_named("native_flow"));
        assert!(flow.is_some_and(|flow| flow.attr_is("name", "mixed") && flow.attr_is("v", "9")));
        assert!(mixed.child_named("quality_control").is_some());
        let flat = Biz::Payment("order_details").node(0);
        assert!(flat.attr_is("native_flow_name", "order_details") && flat.first_child().is_none());
        let list = Biz::List.node(0);
        assert!(list.child_named("list").is_some_and(|list| list.attr_is("type", "product_list")));
    }
}
