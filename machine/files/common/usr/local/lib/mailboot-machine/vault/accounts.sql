CREATE TABLE domains (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
);
CREATE UNIQUE INDEX name_idx ON domains (name);

CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    domain_id INTEGER NOT NULL,
    password TEXT NOT NULL,
    email TEXT NOT NULL UNIQUE,
    active INTEGER DEFAULT 1,
    FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX email_idx ON users (email);

CREATE TABLE aliases (
    id INTEGER PRIMARY KEY,
    domain_id INTEGER NOT NULL,
    src TEXT NOT NULL,
    dst TEXT NOT NULL,
    UNIQUE (src, dst),
    FOREIGN KEY (domain_id) REFERENCES domains (id) ON DELETE CASCADE
);
CREATE INDEX source_idx ON aliases (src);

INSERT INTO domains (id, name) VALUES (1, 'example.org'), (2, 'example.net');
-- The passwords are secret-alice and secret-bob, hashed as SHA512-CRYPT.
INSERT INTO users (domain_id, password, email) VALUES
    (1, '$6$Rk3vQz7PbN1xWd5h$0Vm.Ni2IXlaxrbIdNtKX4JRO3BlK8Fq4FGX2mk9H6aN2Z6csEHfflvEBts/taiLO1o.5mL2Bwqh4bJqA6TSQp1', 'alice@example.org'),
    (1, '$6$Yt8mLc2JsF6gHa9u$S.N/eNDKj0fwa4FyYXsBzmquCnLdlhsmBXci7zJReW2X0pMVZCA0mehlRY00YvF3.yw1DylrQKXbpeQkILGhB0', 'bob@example.org');
INSERT INTO aliases (domain_id, src, dst) VALUES (1, 'postmaster@example.org', 'alice@example.org');
