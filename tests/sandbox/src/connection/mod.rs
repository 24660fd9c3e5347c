//! One socket: connection header, handshake, login, then stanzas both ways (transport document §1–§3).

mod certificates;
mod handshake;
mod stanzas;

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

pub(crate) use certificates::Certificates;

use handshake::Handshake;

use crate::hub::Hub;
use crate::service::Admission;

/// The connection cannot go on: the code to close it with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Broken(u16);

const PROTOCOL_ERROR: Broken = Broken(1002);
const UNSUPPORTED: Broken = Broken(1003);
const GONE: Broken = Broken(1000);

/// Serves a socket until it ends.
pub(crate) async fn serve<S>(hub: Arc<Hub>, certificates: Arc<Certificates>, mut socket: WebSocketStream<S>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let limits = &hub.options().limits;
    let inside = hub.gate().enter();
    let handshake = Handshake::new(&certificates, limits);
    let done = match handshake.run(&mut socket).await {
        Ok(done) => done,
        Err(Broken(code)) => {
            close(&mut socket, code).await;
            return;
        }
    };
    if hub.gate().is_closed() {
        // It came in before the service went down.
        return;
    }
    let (stream, outgoing) = hub.open();
    let admission = hub.run(|service| service.login(stream, done.client_key, &done.payload));
    drop(inside);
    let listen = admission == Admission::Admitted;
    stanzas::exchange(&hub, stream, socket, done.transport, done.rest, outgoing, listen).await;
    hub.closed(stream);
}

async fn close<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut WebSocketStream<S>, code: u16) {
    let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
    // The other side may be gone already, which is what closing is about.
    let _ = socket.close(Some(frame)).await;
}
