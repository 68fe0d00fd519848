require ["vnd.dovecot.pipe", "copy", "imapsieve"];

pipe :copy "rspamd-learn" ["ham"];
