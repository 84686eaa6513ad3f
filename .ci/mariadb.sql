-- The tutorial's database as Flask-SQLAlchemy makes it (section 6), with hashes
-- as Werkzeug 3 (scrypt), 2.3 (600000 rounds) and 2.0 (260000) make them.
CREATE USER user@'127.0.0.1' IDENTIFIED BY 'p@ss';
CREATE USER user@localhost IDENTIFIED BY 'p@ss';
CREATE DATABASE flask_api_db CHARACTER SET utf8mb4;
GRANT SELECT ON flask_api_db.* TO user@'127.0.0.1';
GRANT SELECT ON flask_api_db.* TO user@localhost;
USE flask_api_db;

CREATE TABLE user (
	id INTEGER NOT NULL AUTO_INCREMENT,
	username VARCHAR(50) NOT NULL,
	email VARCHAR(100) NOT NULL,
	password VARCHAR(200) NOT NULL,
	PRIMARY KEY (id),
	UNIQUE (email)
);
CREATE TABLE task (
	id INTEGER NOT NULL AUTO_INCREMENT,
	title VARCHAR(100) NOT NULL,
	description VARCHAR(200),
	completed BOOL,
	date_created DATETIME DEFAULT now(),
	date_completed DATETIME,
	user_id INTEGER NOT NULL,
	PRIMARY KEY (id),
	FOREIGN KEY(user_id) REFERENCES user (id)
);
CREATE TABLE refresh_token (
	id INTEGER NOT NULL AUTO_INCREMENT,
	user_id INTEGER NOT NULL,
	token VARCHAR(500) NOT NULL,
	created_at DATETIME,
	expires_at DATETIME NOT NULL,
	revoked BOOL,
	PRIMARY KEY (id),
	FOREIGN KEY(user_id) REFERENCES user (id),
	UNIQUE (token)
);

INSERT INTO user (id, username, email, password) VALUES
	(1, 'ann', 'ann@example.com', 'scrypt:32768:8:1$Zk0pVqU3lHs2aRbT$56e747ec7fc205b2137d7afeab17dea63cefe421f1fc8d30058fb16c7c48117ce4ecf5fc1b032a585644535c128a351b240b54a1f53851f9535e4418dfadcc42'),
	(5, 'Bob 🙂', 'bob@example.com', 'pbkdf2:sha256:600000$Zk0pVqU3lHs2aRbT$3d175a1c5be405587cd08e23c7f499ee94ca54d69a4fa98a85d04998254a0edf'),
	(8, 'forgetful', 'forgetful@example.com', '$2b$12$GhvMmNVjRW29ulnudl.LbuAnUtN/LRfe1JsBm1Xu6LE3059z5Tr8m'),
	(89, 'eve', 'eve@example.com', 'pbkdf2:sha256:260000$aB3dE6gH$1db56b46096f7d13e38cc65db73707c1c22aa14178a8bb1d26212a1046d8dc8a');
INSERT INTO task (id, title, description, completed, date_created, date_completed, user_id) VALUES
	(3, 'Café 🎉', 'two\nlines', 1, '2025-11-29 03:19:52', '2025-11-30 10:00:00', 1),
	(4, 'open', NULL, 0, '2025-11-29 03:19:52', NULL, 1),
	(7, 'null', '', NULL, '2025-11-29 03:19:52', NULL, 5),
	(9, 'eve''s', '', 0, '2025-11-29 03:19:52', NULL, 89),
	(11, 'ann''s', '', 0, '2025-11-29 03:19:52', NULL, 1);
INSERT INTO task (title, description, user_id) SELECT concat('task ', seq), 'one of many', 1 FROM seq_1_to_20000;
INSERT INTO refresh_token (user_id, token, created_at, expires_at, revoked) VALUES
	(1, 'eyJhbGciOiJIUzI1NiJ9.e30.a', now(), now() + INTERVAL 7 DAY, 0),
	(5, 'eyJhbGciOiJIUzI1NiJ9.e30.b', now(), now(), 1);

-- What years of use and other hands leave behind.
CREATE DATABASE odd CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
USE odd;
CREATE TABLE user (id BIGINT PRIMARY KEY, username VARCHAR(60), email VARCHAR(300), password VARCHAR(300), shoe_size INT);
CREATE TABLE task (id BIGINT PRIMARY KEY, title VARCHAR(200), description TEXT, completed BIT(1), date_created DATETIME(6), date_completed TIMESTAMP NULL, user_id BIGINT) CHARACTER SET latin1;
INSERT INTO user (id, username, email, password) VALUES
	(1, ' odd ', 'odd@example.com', 'pbkdf2:sha256:260000$aB3dE6gH$1db56b46096f7d13e38cc65db73707c1c22aa14178a8bb1d26212a1046d8dc8a'),
	(2, 'twice', 'ODD@example.com', 'pbkdf2:sha256:260000$aB3dE6gH$1db56b46096f7d13e38cc65db73707c1c22aa14178a8bb1d26212a1046d8dc8a'),
	(3, 'no address', 'nonsense', 'pbkdf2:sha256:260000$aB3dE6gH$1db56b46096f7d13e38cc65db73707c1c22aa14178a8bb1d26212a1046d8dc8a'),
	(4, repeat('語', 51), 'long@example.com', 'pbkdf2:sha256:260000$aB3dE6gH$1db56b46096f7d13e38cc65db73707c1c22aa14178a8bb1d26212a1046d8dc8a'),
	(5, 'ann', 'Ann@Example.com', 'pbkdf2:sha256:260000$aB3dE6gH$1db56b46096f7d13e38cc65db73707c1c22aa14178a8bb1d26212a1046d8dc8a'),
	(6, 'bell\a\b', 'bell@example.com', 'pbkdf2:sha256:260000$aB3dE6gH$1db56b46096f7d13e38cc65db73707c1c22aa14178a8bb1d26212a1046d8dc8a'),
	(7, 'null password', 'null@example.com', NULL);
SET time_zone = '+02:00';
INSERT INTO task (id, title, description, completed, date_created, date_completed, user_id) VALUES
	(1, '  trimmed, from latin1: é ', 'two\r\nlines', b'1', '2025-11-29 03:19:52.123456', '2025-11-29 06:00:00', 1),
	(2, NULL, '', b'0', now(), NULL, 1),
	(3, repeat('x', 101), '', b'0', now(), NULL, 1),
	(4, 'of somebody skipped', '', b'0', now(), NULL, 2),
	(5, 'of nobody', '', b'0', now(), NULL, 99),
	(6, 'done, nobody knows when', '', b'1', '2025-11-29 03:19:52', NULL, 1),
	(7, 'not done after all', '', b'0', '2025-11-29 03:19:52', now(), 7),
	(8, 'no date', '', b'0', NULL, NULL, 7),
	(9, 'of somebody skipped, and bad', '', b'0', now(), NULL, 5),
	(10, '<script>=1+1', '', b'0', now(), NULL, 7);

CREATE DATABASE empty;
CREATE DATABASE older;
CREATE TABLE older.user (id INT PRIMARY KEY, username VARCHAR(50), email VARCHAR(100));
