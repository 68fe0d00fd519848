import MailAccounts
print("mailcfg")
