'use strict'

// Sends the list with Nodemailer's pool, as a program that has its newsletter and its list at hand would:
// one process for each core, each with its share of the recipients and of the connections. It has no
// queue of its own, so whoever wants mail that is put off to arrive must try it again: so do we.

const cluster = require('node:cluster')
const fs = require('node:fs')
const nodemailer = require('nodemailer')

const settings = JSON.parse(fs.readFileSync(process.argv[2]))
const intervalMs = Number(process.argv[3])
const count = settings.processes

function makePool(pool) {
    const share = (whole) => Math.max(1, Math.floor(whole / count))
    return nodemailer.createTransport({
        pool: true,
        host: pool.host,
        port: pool.port,
        secure: false,
        ignoreTLS: true,
        name: 'mta.' + settings.domain,
        maxConnections: share(pool.connections),
        maxMessages: pool.messages || Infinity,
        ...(pool.rate ? { rateDelta: 1000, rateLimit: share(pool.rate) } : {}),
        ...(settings.key
            ? {
                  dkim: {
                      domainName: settings.domain,
                      keySelector: settings.selector,
                      privateKey: fs.readFileSync(settings.key, 'utf8'),
                  },
              }
            : {}),
    })
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

async function sendUntilFinal(transport, raw, to) {
    for (;;) {
        try {
            await transport.sendMail({ envelope: { from: settings.from, to }, raw })
            return
        } catch (error) {
            if (error.responseCode >= 500) return
            await sleep(1000 * settings.retrySeconds)
        }
    }
}

async function work(number) {
    const message = fs.readFileSync(settings.message, 'utf8')
    const recipients = fs.readFileSync(settings.recipients, 'utf8').split('\n').slice(0, -1)
    const transports = settings.pools.map(makePool)
    const byDomain = new Map()
    settings.pools.forEach((pool, i) => (pool.domains || ['*']).forEach((d) => byDomain.set(d, i)))
    const times = []
    const pending = []
    const started = Date.now()

    for (let i = number; i < recipients.length; i += count) {
        const to = recipients[i]
        const raw = message.replaceAll('@ADDRESS@', to).replaceAll('@NUMBER@', String(i))
        const at = byDomain.get(to.split('@')[1]) ?? byDomain.get('*')

        if (intervalMs) await sleep(started + i * intervalMs - Date.now())
        times.push(`${to} ${Date.now() / 1000} 0\n`)
        pending.push(sendUntilFinal(transports[at], raw, to))
    }
    await Promise.all(pending)
    fs.appendFileSync(settings.times, times.join(''))
    transports.forEach((transport) => transport.close())
}

if (cluster.isPrimary) {
    for (let i = 0; i < count; i++) cluster.fork({ NUMBER: String(i) })
    cluster.on('exit', (worker, code) => {
        if (code) process.exit(code)
    })
} else {
    work(Number(process.env.NUMBER)).then(() => process.exit(0))
}
