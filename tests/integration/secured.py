"""A world for tests of transport security: a Postfix at several addresses with different certificates, a
name server with zones, and a sender that has not started, all in one network namespace."""

from authority import Authority, self_signed
from peers.postfix import Postfix

# By their certificate: SELF and ALSO_SELF asked nobody for it, CHAIN asked the root; CLEAR has no TLS.
SELF, ALSO_SELF, CHAIN, CLEAR = "20.3.0.1", "20.3.0.4", "20.3.0.3", "20.3.0.2"


class Secured:
    def __init__(self, folder, network, sender_in, chain_names):
        """`chain_names`: those that the certificate at CHAIN is for."""
        folder.chmod(0o755)
        self.network = network
        self.root = Authority(folder, "root")
        self.own = self_signed(folder, "nobody.example")
        self.chain = self.root.issue(*chain_names)
        network.address(*(f"{one}/32" for one in (SELF, ALSO_SELF, CHAIN, CLEAR)))
        self.postfix = Postfix(
            folder, "mail.example", host=CLEAR, port=25, prefix=network.inside, tls=False,
            more=["virtual_mailbox_domains = static:all"],
            listeners=[self.listener(SELF, *self.own), self.listener(ALSO_SELF, *self.own),
                       self.listener(CHAIN, *self.chain)])
        self.postfix.start()
        self.sender = sender_in(sign=False, prefix=network.inside)
        self.sender.settings["retry"] |= {"schedule": ["1h"]}
        self.sender.default_site |= {"sessions": 2, "idle": "0s"}
        self.sent = 0

    @staticmethod
    def listener(address, certificate, key):
        return (f"{address}:25", f"-o smtpd_tls_security_level=may -o syslog_name=at-{address} "
                f"-o smtpd_tls_cert_file={certificate} -o smtpd_tls_key_file={key}")

    def start(self):
        """Serves the zones so far and starts the sender, which knows them."""
        self.network.serve()
        self.sender.settings["dns"] = self.network.dns_options(ipv6=False)
        self.sender.start()

    def send(self, *domains):
        """One reader at each domain; the report by the domain's first label, when all had their try."""
        self.sent += 1
        name = f"news{self.sent}"
        self.sender.create(name, [f"reader1@{domain}" for domain in domains])
        self.sender.wait(name, lambda s: s["delivered"] + s["deferred"] == len(domains))
        return {line["address"].partition("@")[2].partition(".")[0]: line
                for line in self.sender.report(name, "delivered", "deferred")}

    def arrived(self, count):
        """The domains whose readers have mail, by first label, with what Postfix says of the session."""
        return {mail.recipient.partition("@")[2].partition(".")[0]: mail.received[0]
                for mail in self.postfix.wait_for(count)}

    def count(self, policy, result):
        return self.sender.metric("hikyaku_tls_sessions_total", policy=policy, result=result)

    def close(self):
        self.postfix.close()
        print(f"---- postfix\n{self.postfix.log()[-10000:]}")
