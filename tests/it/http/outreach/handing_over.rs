//! The rule is asked once more when the message leaves by the customer's channel.

use super::*;
use tests::world::endpoint::{Endpoint, Mood, Signer, to_this_machine};

/// A customer of a channel who wrote, and whose endpoint has everything.
struct Served {
    world: World,
    endpoint: Endpoint,
    signer: Signer,
    li: UserId,
}

impl Served {
    async fn begin() -> Self {
        let mut world = World::over(to_this_machine(), |_| {}).await;
        world.make_tenant(ACME).await;
        let _ = world.staff(ACME, Role::Agent, "alice").await;
        let endpoint = Endpoint::start().await;
        let signer = Signer::connect(&world, ACME, "wechat", &endpoint.url(ACME)).await;
        endpoint.expects(ACME, signer.key.clone(), world.app.now());
        world.serve().await;
        let ack = says(&world, &signer, "m1", "is it in stock?").await;
        let served = Self { li: ack["user"].as_str().unwrap().parse().unwrap(), world, endpoint, signer };
        let _ = served.taken(served.head().await).await;
        served
    }

    async fn head(&self) -> usize {
        self.world.settle().await;
        usize::try_from(self.world.app.ports.views.feed_head(ACME.parse().unwrap(), self.li)).unwrap()
    }

    async fn taken(&self, count: usize) -> Vec<Value> {
        self.endpoint.taken(ACME, "li", count).await
    }

    /// Lets time pass, for the endpoint as well.
    async fn pass(&self, span: Millis) {
        self.endpoint.expects(ACME, self.signer.key.clone(), self.world.app.now() + span);
        self.world.pass(span).await;
    }

    /// What was decided on the way out, once it was this many times.
    async fn decided(&self, attempt: &Value, count: usize) -> Vec<Value> {
        let path = format!("{PATH}/{}", attempt["id"].as_str().unwrap());
        loop {
            let attempt = self.world.get(&Person::operator(), &path).await.ok();
            let handed_over = attempt["handed_over"].as_array().unwrap();
            if handed_over.len() >= count {
                return handed_over.clone();
            }
            tokio::task::yield_now().await;
        }
    }
}

async fn says(world: &World, signer: &Signer, id: &str, content: &str) -> Value {
    let body = json!({"customer": "li", "sent_at": world.clock_ms(), "content": content});
    signer.send(world, "messages", id, body).await.ok()
}

fn is_outreach(item: &Value) -> bool {
    item["m"]["origin"]["outreach"].is_object()
}

#[tokio::test]
async fn what_is_handed_over_in_time_is_delivered_and_on_record() {
    let served = Served::begin().await;
    served.pass(THREE_DAYS).await;
    let sent = reach_out(&served.world, order(&served.world, served.li, "it is")).await.ok();
    let taken = served.taken(served.head().await).await;
    assert_eq!(taken.iter().filter(|item| is_outreach(item)).count(), 1);
    let decided = served.decided(&sent, 1).await;
    assert_eq!((&decided[0]["verdict"], &decided[0]["age_ms"]), (&json!("allowed"), &json!(THREE_DAYS.0)));
    assert_eq!(decided[0]["channel"], "wechat");
    served.world.end().await;
}

#[tokio::test]
async fn what_is_too_old_when_it_is_handed_over_is_held_back_and_that_is_on_record() {
    let served = Served::begin().await;
    served.pass(Millis::hours(71)).await;
    let before = served.taken(served.head().await).await.len();
    let tried = served.endpoint.attempts(before).await.len();
    served.endpoint.be(ACME, "li", Mood::Away);
    let sent = reach_out(&served.world, order(&served.world, served.li, "it is")).await.ok();
    let _ = served.endpoint.attempts(tried + 1).await;
    served.pass(Millis(Millis::hours(1).0 + 1)).await;
    served.endpoint.be(ACME, "li", Mood::Here);
    let _ = served.signer.send(&served.world, "ready", "r1", json!({})).await.ok();
    let decided = served.decided(&sent, 2).await;
    let verdicts: Vec<(&Value, &Value)> = decided.iter().map(|decided| (&decided["verdict"], &decided["reason"])).collect();
    assert_eq!(verdicts, [(&json!("allowed"), &Value::Null), (&json!("refused"), &json!("too_old"))]);
    assert_eq!(decided[1]["age_ms"], THREE_DAYS.0 + 1);
    // Whatever else there is goes on, and the customer's channel never sees it.
    let _ = says(&served.world, &served.signer, "m2", "hello?").await;
    let head = served.head().await;
    // What was on its way when time passed may have been signed before it did.
    let taken = served.endpoint.taken_whatever_went_wrong(ACME, "li", head - 1).await;
    assert!(!taken.iter().any(is_outreach), "{taken:?}");
    assert_eq!(taken.last().unwrap()["i"], head);
    served.world.end().await;
}
