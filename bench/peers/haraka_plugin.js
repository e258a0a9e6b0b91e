'use strict'

// What a site of its own would configure: everybody on loopback may relay, and mail goes where
// config/routes.json says. Reports to the sender are not written: nobody would read them.

exports.register = function () {
    this.routes = this.config.get('routes.json')
}

exports.hook_lookup_rdns = (next) => next(OK, 'injector.test')

exports.hook_connect = (next, connection) => {
    connection.relaying = true
    next()
}

exports.hook_rcpt = (next) => next(OK)

exports.hook_get_mx = function (next, hmail, domain) {
    const exchange = this.routes[domain] || this.routes['*']
    next(OK, { priority: 0, exchange, port: 25 })
}

exports.hook_bounce = (next) => next(OK)
