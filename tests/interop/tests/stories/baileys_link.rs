//! Baileys, unmodified, links to a simulated phone and keeps its link.

use whimbrel_interop::Program;

use crate::linking;

#[tokio::test]
async fn links_by_qr_comes_back_after_cuts_and_notices_its_removal() {
    linking::by_qr(Program::Baileys, "baileys-qr").await;
}

#[tokio::test]
async fn links_by_code_and_leaves_by_itself() {
    linking::by_code(Program::Baileys, "baileys-code").await;
}
