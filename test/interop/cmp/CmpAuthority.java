import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.FileWriter;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.util.Date;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.cmp.*;
import org.bouncycastle.asn1.crmf.AttributeTypeAndValue;
import org.bouncycastle.asn1.crmf.CertId;
import org.bouncycastle.asn1.crmf.CertReqMessages;
import org.bouncycastle.asn1.crmf.CertReqMsg;
import org.bouncycastle.asn1.crmf.CertTemplate;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.cmp.CertificateConfirmationContent;
import org.bouncycastle.cert.cmp.CertificateStatus;
import org.bouncycastle.cert.cmp.GeneralPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessage;
import org.bouncycastle.cert.cmp.ProtectedPKIMessageBuilder;
import org.bouncycastle.cert.crmf.CertificateRequestMessage;
import org.bouncycastle.cert.crmf.PKMACBuilder;
import org.bouncycastle.cert.crmf.jcajce.JcePKMACValuesCalculator;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.operator.ContentVerifierProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/**
 * A CA that speaks CMP over HTTP, made of BouncyCastle as EJBCA is. It issues for the key that was asked for, checks
 * protection, proof of possession, chain and confirmation, and knows each end entity by its CN. The path of the request
 * says how it behaves: /server and /client choose the usages, /poll lets wait twice.
 *
 * <p>Arguments: file for the CA certificate, file with the password, seconds that certificates are valid. It prints its port,
 * and then a line for each request.
 */
public class CmpAuthority {
  static final String ALGORITHM = "SHA256withECDSA";
  static final ASN1ObjectIdentifier OLD_CERT_ID = new ASN1ObjectIdentifier("1.3.6.1.5.5.7.5.1.5");
  static final SecureRandom random = new SecureRandom();
  static final Map<String, X509CertificateHolder> unconfirmed = new ConcurrentHashMap<>();
  static final Map<String, PKIBody> late = new ConcurrentHashMap<>();
  static final Map<String, Integer> polls = new ConcurrentHashMap<>();
  /** End entities whose password was used, and works no more. */
  static final Set<String> generated = ConcurrentHashMap.newKeySet();
  static KeyPair key;
  static X509CertificateHolder ca;
  static char[] secret;
  static long lifetime;

  public static void main(String[] arguments) throws Exception {
    java.security.Security.addProvider(new BouncyCastleProvider());
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
    generator.initialize(256);
    key = generator.generateKeyPair();
    secret = java.nio.file.Files.readString(java.nio.file.Path.of(arguments[1])).trim().toCharArray();
    lifetime = Long.parseLong(arguments[2]);
    X500Name name = new X500Name("C=NL,O=Test,CN=ManagementCA");
    SubjectPublicKeyInfo own = SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded());
    ca = builder(name, name, own, 86_400)
        .addExtension(Extension.basicConstraints, true, new BasicConstraints(true))
        .addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign | KeyUsage.digitalSignature))
        .build(new JcaContentSignerBuilder(ALGORITHM).build(key.getPrivate()));
    try (JcaPEMWriter writer = new JcaPEMWriter(new FileWriter(arguments[0]))) {
      writer.writeObject(ca);
    }
    HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", CmpAuthority::handle);
    server.start();
    System.out.println("port " + server.getAddress().getPort());
  }

  static X509v3CertificateBuilder builder(X500Name issuer, X500Name subject, SubjectPublicKeyInfo info, long seconds) {
    long now = System.currentTimeMillis();
    BigInteger serial = new BigInteger(120, random).setBit(119);
    return new X509v3CertificateBuilder(issuer, serial, new Date(now - 60_000), new Date(now + seconds * 1000), subject, info);
  }

  static void handle(HttpExchange exchange) {
    try (exchange) {
      byte[] answer = answer(exchange.getRequestBody().readAllBytes(), exchange.getRequestURI().getPath());
      exchange.getResponseHeaders().set("Content-Type", "application/pkixcmp");
      exchange.sendResponseHeaders(200, answer.length);
      exchange.getResponseBody().write(answer);
    } catch (Throwable error) {
      error.printStackTrace();
    }
  }

  static byte[] answer(byte[] bytes, String path) throws Exception {
    ProtectedPKIMessage message = new ProtectedPKIMessage(new GeneralPKIMessage(bytes));
    PKIHeader header = message.getHeader();
    PKIBody body;
    try {
      body = perform(message, path);
    } catch (Refusal refusal) {
      body = error(refusal);
    }
    System.out.println(message.getBody().getType() + " -> " + body.getType());
    byte[] nonce = new byte[16];
    random.nextBytes(nonce);
    ProtectedPKIMessageBuilder builder =
        new ProtectedPKIMessageBuilder(new GeneralName(ca.getSubject()), header.getSender())
            .setTransactionID(header.getTransactionID().getOctets())
            .setSenderNonce(nonce)
            .setRecipNonce(header.getSenderNonce().getOctets())
            .setMessageTime(new Date())
            .setBody(body);
    ProtectedPKIMessage answer = message.hasPasswordBasedMacProtection()
        ? builder.build(macs().setParameters(PBMParameter.getInstance(header.getProtectionAlg().getParameters())).build(secret))
        : builder.addCMPCertificate(ca).build(new JcaContentSignerBuilder(ALGORITHM).build(key.getPrivate()));
    return answer.toASN1Structure().getEncoded("DER");
  }

  static PKMACBuilder macs() throws Exception {
    return new PKMACBuilder(new JcePKMACValuesCalculator().setProvider("BC"));
  }

  static PKIBody perform(ProtectedPKIMessage message, String path) throws Exception {
    boolean isMac = message.hasPasswordBasedMacProtection();
    X509CertificateHolder signer = isMac ? null : signerOf(message);
    if (isMac && !message.verify(macs(), secret))
      throw new Refusal(PKIFailureInfo.badMessageCheck, "the password is wrong");
    String id = message.getHeader().getTransactionID().toString();
    PKIBody body = message.getBody();
    switch (body.getType()) {
      case PKIBody.TYPE_INIT_REQ:
      case PKIBody.TYPE_CERT_REQ:
      case PKIBody.TYPE_KEY_UPDATE_REQ:
        PKIBody issued = issue(body, id, isMac, signer, path);
        if (!path.equals("/poll")) return issued;
        late.put(id, issued);
        polls.put(id, 2);
        return new PKIBody(issued.getType(), new CertRepMessage(null, new CertResponse[] {
            new CertResponse(new ASN1Integer(0), new PKIStatusInfo(PKIStatus.waiting))}));
      case PKIBody.TYPE_POLL_REQ:
        PKIBody waiting = late.get(id);
        if (waiting == null) throw new Refusal(PKIFailureInfo.badRequest, "nothing waits");
        if (polls.merge(id, -1, Integer::sum) < 0) return waiting;
        return new PKIBody(PKIBody.TYPE_POLL_REP,
            new PollRepContent(new ASN1Integer(0), new ASN1Integer(1)));
      case PKIBody.TYPE_CERT_CONFIRM:
        return confirm(CertConfirmContent.getInstance(body.getContent()), id);
      default:
        throw new Refusal(PKIFailureInfo.badRequest, "it does not speak " + body.getType());
    }
  }

  static X509CertificateHolder signerOf(ProtectedPKIMessage message) throws Exception {
    X509CertificateHolder[] certificates = message.getCertificates();
    if (certificates.length == 0) throw new Refusal(PKIFailureInfo.signerNotTrusted, "no signer");
    X509CertificateHolder signer = certificates[0];
    boolean isOurs = signer.isSignatureValid(verifier(ca.getSubjectPublicKeyInfo()));
    if (!isOurs || !signer.isValidOn(new Date())) throw new Refusal(PKIFailureInfo.signerNotTrusted, "a stranger signed");
    if (!message.verify(verifier(signer.getSubjectPublicKeyInfo())))
      throw new Refusal(PKIFailureInfo.badMessageCheck, "the signature is wrong");
    return signer;
  }

  static ContentVerifierProvider verifier(SubjectPublicKeyInfo info) throws Exception {
    return new JcaContentVerifierProviderBuilder().setProvider("BC").build(info);
  }

  static PKIBody issue(PKIBody body, String id, boolean isMac, X509CertificateHolder signer, String path) throws Exception {
    CertReqMsg asked = CertReqMessages.getInstance(body.getContent()).toCertReqMsgArray()[0];
    CertificateRequestMessage request = new CertificateRequestMessage(asked);
    CertTemplate template = request.getCertTemplate();
    if (!request.isValidSigningKeyPOP(verifier(template.getPublicKey())))
      throw new Refusal(PKIFailureInfo.badPOP, "the proof of possession is wrong");
    if (template.getSubject().getRDNs().length < 3)
      throw new Refusal(PKIFailureInfo.badCertTemplate, "the subject lacks an attribute");
    String entity = template.getSubject().toString();
    if (body.getType() == PKIBody.TYPE_INIT_REQ && isMac && !generated.add(entity))
      throw new Refusal(PKIFailureInfo.badRequest, "the end entity is Generated, and must be New");
    if (body.getType() == PKIBody.TYPE_KEY_UPDATE_REQ) checkOldCertificate(asked, signer);
    X509v3CertificateBuilder builder = builder(ca.getSubject(), template.getSubject(), template.getPublicKey(), lifetime);
    KeyPurposeId[] purposes = path.equals("/client")
        ? new KeyPurposeId[] {KeyPurposeId.id_kp_clientAuth, KeyPurposeId.id_kp_emailProtection}
        : new KeyPurposeId[] {KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth};
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(false));
    builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
    builder.addExtension(Extension.extendedKeyUsage, false, new ExtendedKeyUsage(purposes));
    Extensions wanted = template.getExtensions();
    Extension names = wanted == null ? null : wanted.getExtension(Extension.subjectAlternativeName);
    if (names != null) builder.addExtension(names);
    X509CertificateHolder certificate = builder.build(new JcaContentSignerBuilder(ALGORITHM).build(key.getPrivate()));
    unconfirmed.put(id, certificate);
    CertifiedKeyPair pair = new CertifiedKeyPair(new CertOrEncCert(new CMPCertificate(certificate.toASN1Structure())));
    CertResponse response = new CertResponse(new ASN1Integer(0), new PKIStatusInfo(PKIStatus.granted), pair, null);
    return new PKIBody(body.getType() + 1, new CertRepMessage(null, new CertResponse[] {response}));
  }

  /** The certificate that a key update names must be the one that signs. */
  static void checkOldCertificate(CertReqMsg asked, X509CertificateHolder signer) throws Refusal {
    if (signer == null) throw new Refusal(PKIFailureInfo.notAuthorized, "a key update must be signed");
    AttributeTypeAndValue[] controls = asked.getCertReq().getControls().toAttributeTypeAndValueArray();
    for (AttributeTypeAndValue control : controls) {
      if (!control.getType().equals(OLD_CERT_ID)) continue;
      CertId old = CertId.getInstance(control.getValue());
      boolean isIssuer = old.getIssuer().getName().equals(signer.getIssuer());
      if (isIssuer && old.getSerialNumber().getValue().equals(signer.getSerialNumber())) return;
    }
    throw new Refusal(PKIFailureInfo.badCertId, "the certificate to update is not the signer's");
  }

  static PKIBody confirm(CertConfirmContent content, String id) throws Exception {
    X509CertificateHolder certificate = unconfirmed.remove(id);
    if (certificate == null) throw new Refusal(PKIFailureInfo.certConfirmed, "it is confirmed already");
    CertificateStatus[] statuses = new CertificateConfirmationContent(content).getStatusMessages();
    boolean isRefused = content.toCertStatusArray()[0].getStatusInfo() != null
        && content.toCertStatusArray()[0].getStatusInfo().getStatus().intValue() == PKIStatus.REJECTION;
    if (!isRefused && !statuses[0].isVerified(certificate, new JcaDigestCalculatorProviderBuilder().build()))
      throw new Refusal(PKIFailureInfo.badCertId, "the hash is of another certificate");
    System.out.println(isRefused ? "refused by the client" : "confirmed by the client");
    return new PKIBody(PKIBody.TYPE_CONFIRM, PKIConfirmContent.getInstance(DERNull.INSTANCE));
  }

  static PKIBody error(Refusal refusal) {
    PKIFreeText text = new PKIFreeText(refusal.getMessage());
    PKIStatusInfo status = new PKIStatusInfo(PKIStatus.rejection, text, new PKIFailureInfo(refusal.bits));
    return new PKIBody(PKIBody.TYPE_ERROR, new ErrorMsgContent(status));
  }

  static class Refusal extends Exception {
    final int bits;

    Refusal(int bits, String text) {
      super(text);
      this.bits = bits;
    }
  }
}
