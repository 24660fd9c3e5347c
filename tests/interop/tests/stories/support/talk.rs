use super::{Device, Heard, Stage};

/// A conversation of two devices that keeps the account of what was said: nothing may be lost, come twice or in
/// another order. (Where a device shows another order, its phone shows the one in which the texts came.)
///
/// One side speaks at a time. Both peers use message keys twice when they send while they receive, and lose texts by
/// it: Baileys encrypts under another lock than it decrypts, whatsmeow under none.
pub(crate) struct Talk<'a> {
    left: Side<'a>,
    right: Side<'a>,
}

struct Side<'a> {
    device: &'a Device,
    /// The device is addressed by LID.
    by_lid: bool,
    said: Vec<Said>,
    heard: Vec<Heard>,
}

struct Said {
    id: String,
    text: String,
}

impl<'a> Side<'a> {
    fn new(device: &'a Device) -> Self {
        Self { device, by_lid: false, said: Vec::new(), heard: Vec::new() }
    }

    fn address(&self) -> String {
        let phone = self.device.phone();
        if self.by_lid { phone.lid() } else { phone.jid() }.to_string()
    }

    async fn says(&mut self, count: usize, to: &str) {
        for _ in 0..count {
            let text = format!("text {} from {}", self.said.len() + 1, self.device.label());
            let id = self.device.say_in(to, &text).await;
            self.said.push(Said { id, text });
        }
    }

    /// Hears exactly what was said and not heard yet, in order if the device keeps it.
    async fn hears(&mut self, from: &Side<'_>) {
        if !self.device.keeps_order {
            return self.hears_somehow(from).await;
        }
        for said in from.said.iter().skip(self.heard.len()) {
            let next = self.device.hear(&format!("{:?} ({})", said.text, said.id)).await;
            let unread = self.device.unread();
            assert_eq!((&next.text, &next.id), (&said.text, &said.id), "out of order; unread:\n{unread}");
            assert!(!next.from_me, "{next:?}");
            self.heard.push(next);
        }
    }

    /// Hears what was said and not heard yet, each once, in whatever order.
    async fn hears_somehow(&mut self, from: &Side<'_>) {
        let mut due: Vec<&Said> = from.said.iter().skip(self.heard.len()).collect();
        while !due.is_empty() {
            let missing: Vec<String> =
                due.iter().map(|said| format!("{} ({})", said.text, said.id)).collect();
            let next = self.device.hear(&format!("one of {missing:?}")).await;
            let before = due.len();
            due.retain(|said| said.id != next.id || said.text != next.text);
            assert_eq!(due.len() + 1, before, "twice, or never said: {next:?}");
            self.heard.push(next);
        }
    }

    async fn quotes(&mut self, other: &Device) -> Option<String> {
        let heard = self.heard.last()?;
        let text = format!("text {} from {}, about yours", self.said.len() + 1, self.device.label());
        let id = self.device.reply(other.phone(), &text, heard).await;
        self.said.push(Said { id, text });
        Some(heard.id.clone())
    }

    fn ids(&self) -> Vec<String> {
        self.said.iter().map(|said| said.id.clone()).collect()
    }
}

impl<'a> Talk<'a> {
    pub(crate) fn between(left: &'a Device, right: &'a Device) -> Self {
        Self { left: Side::new(left), right: Side::new(right) }
    }

    pub(crate) async fn left_says(&mut self, count: usize) {
        let to = self.right.address();
        self.left.says(count, &to).await;
    }

    pub(crate) async fn right_says(&mut self, count: usize) {
        let to = self.left.address();
        self.right.says(count, &to).await;
    }

    pub(crate) async fn left_hears(&mut self) {
        self.left.hears(&self.right).await;
    }

    pub(crate) async fn right_hears(&mut self) {
        self.right.hears(&self.left).await;
    }

    /// As [`Talk::right_hears`], of texts that the right side asks for again: they come in any order.
    pub(crate) async fn right_hears_somehow(&mut self) {
        self.right.hears_somehow(&self.left).await;
    }

    /// So many texts each way.
    pub(crate) async fn both_say(&mut self, count: usize) {
        self.left_says(count).await;
        self.right_hears().await;
        self.right_says(count).await;
        self.left_hears().await;
    }

    /// From now on each side names the other by LID, or by phone number.
    pub(crate) fn by_lid(&mut self, by_lid: bool) {
        (self.left.by_lid, self.right.by_lid) = (by_lid, by_lid);
    }

    /// The chats in which the left side has shown what it heard, in order, each once in a row.
    pub(crate) fn left_chats(&self) -> Vec<&str> {
        let mut chats: Vec<&str> = self.left.heard.iter().map(|heard| heard.chat.as_str()).collect();
        chats.dedup();
        chats
    }

    /// So many texts each way at the same time.
    pub(crate) async fn both_say_at_once(&mut self, count: usize) {
        let (left, right) = (self.left.address(), self.right.address());
        tokio::join!(self.left.says(count, &right), self.right.says(count, &left));
        self.left.hears_somehow(&self.right).await;
        self.right.hears_somehow(&self.left).await;
    }

    /// Each answers what it heard last.
    pub(crate) async fn both_quote(&mut self) {
        let quoted = self.left.quotes(self.right.device).await;
        self.right_hears().await;
        assert_eq!(self.right.heard.last().and_then(|heard| heard.quoted.clone()), quoted);
        let quoted = self.right.quotes(self.left.device).await;
        self.left_hears().await;
        assert_eq!(self.left.heard.last().and_then(|heard| heard.quoted.clone()), quoted);
    }

    /// Everything was delivered and is read, and each side is told so; a last text each way comes next, so nothing
    /// else has come; the phones show the same.
    pub(crate) async fn ends(mut self, stage: &Stage) {
        self.both_say(1).await;
        let Self { left, right } = &self;
        assert!(left.said.len() >= 50 && right.said.len() >= 50, "a short talk proves little");
        left.device.see_delivered(&left.ids()).await;
        right.device.see_delivered(&right.ids()).await;
        right.device.mark_read(&right.heard).await;
        left.device.mark_read(&left.heard).await;
        left.device.see_read(&left.ids()).await;
        right.device.see_read(&right.ids()).await;
        stage.phone_shows(left.device.phone(), &left.ids(), &right.ids()).await;
        stage.phone_shows(right.device.phone(), &right.ids(), &left.ids()).await;
    }
}
