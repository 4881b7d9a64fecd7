//! event-log-nats
