"""What tests share: people, time, jobs, parallel sessions."""
