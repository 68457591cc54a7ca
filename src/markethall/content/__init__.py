"""What is made or read here: pictures; later articles, quizzes and chats."""
